"""What every analysis loads: a fork server that imports this hands it to its kernels.

The catalogue is the platform's, and the same for all; of a company nothing is read here.
"""

from kamp_lib.catalog import catalogue_files, families, standard_models, units
from kamp_lib.datasets.storage import dataset

__all__ = ["dataset"]

# a fork server does not fork any more when one of them has changed
__files_read__ = [str(path) for path in catalogue_files()]
families()
units()
standard_models()
