"""What can be analysed: equipment types, problem families and standard models.

Knowledge lives in the YAML files of this room; the code here only reads and checks it.
"""

from kamp_lib.catalog.load import (
    equipment_type,
    equipment_types,
    families,
    load_entry,
    quantities,
    standard_model,
    standard_models,
)
from kamp_lib.catalog.parameters import parse_assignments, resolve_parameters
from kamp_lib.catalog.types import (
    DISPLAY_UNITS,
    Column,
    Equipment,
    Family,
    Parameter,
    Quantity,
    RecordKind,
    StandardModel,
    Target,
)

__all__ = [
    "DISPLAY_UNITS",
    "Column",
    "Equipment",
    "Family",
    "Parameter",
    "Quantity",
    "RecordKind",
    "StandardModel",
    "Target",
    "equipment_type",
    "equipment_types",
    "families",
    "load_entry",
    "parse_assignments",
    "quantities",
    "resolve_parameters",
    "standard_model",
    "standard_models",
]
