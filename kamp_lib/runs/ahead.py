"""What every analysis loads: a fork server that imports this hands it to its kernels.

The catalogue is the platform's, and the same for all; of a company nothing is read here.
"""

import kamp_lib.datasets.storage.dataset  # noqa: F401 - for those who are forked
from kamp_lib.catalog import catalogue_files, families, standard_models, units

# when one of them has changed, a new fork server takes the place of the old one
__files_read__ = [str(path) for path in catalogue_files()]
families()
units()
standard_models()
