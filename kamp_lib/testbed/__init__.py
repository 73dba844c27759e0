"""The test bed: simulated machines whose defects and their causes are known.

Every simulator writes files as a real machine would export them, each row marked
`data_origin = simulated`, and keeps the truth to itself: `Simulation.truth` is for tests
and lessons and is written nowhere.
"""

from kamp_lib.testbed.companies import DemoCompany, demo_companies
from kamp_lib.testbed.simulation import Simulation, defects_of, simulate

__all__ = ["DemoCompany", "Simulation", "defects_of", "demo_companies", "simulate"]
