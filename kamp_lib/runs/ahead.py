"""What every analysis loads: a fork server that imports this hands it to its kernels.

The catalogue is the platform's, and the same for all; of a company nothing is read here.
"""

from kamp_lib.catalog import families, standard_models, units
from kamp_lib.datasets.storage import dataset

__all__ = ["dataset"]

families()
units()
standard_models()
