"""What can be analysed: equipment types, problem families and standard models.

Knowledge lives in the YAML files of this room; the code here only reads and checks it.
"""

from kamp_lib.catalog.entries import load_entries, load_entry
from kamp_lib.catalog.load import (
    catalogue_files,
    equipment_type,
    equipment_types,
    families,
    quantities,
    standard_model,
    standard_models,
    vocabulary,
)
from kamp_lib.catalog.parameters import parse_assignments, resolve_parameters
from kamp_lib.catalog.types import (
    Column,
    Equipment,
    Family,
    Parameter,
    Quantity,
    RecordKind,
    StandardModel,
    Target,
    Word,
)
from kamp_lib.catalog.units import Unit, said, units

__all__ = [
    "Column",
    "Equipment",
    "Family",
    "Parameter",
    "Quantity",
    "RecordKind",
    "StandardModel",
    "Target",
    "Unit",
    "Word",
    "catalogue_files",
    "equipment_type",
    "equipment_types",
    "families",
    "load_entries",
    "load_entry",
    "parse_assignments",
    "quantities",
    "resolve_parameters",
    "said",
    "standard_model",
    "standard_models",
    "units",
    "vocabulary",
]
