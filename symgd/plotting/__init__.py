"""Pictures of objectives and runs; the only package that imports matplotlib.

Every function takes an Axes and gives it back; without one it makes a figure. Nothing is ever shown, and no setting of
matplotlib is changed.
"""

from symgd.plotting.files import check_path, save
from symgd.plotting.films import Film, animate, check_film
from symgd.plotting.maps import plot_map
from symgd.plotting.modes import plot_modes
from symgd.plotting.panels import plot_runs
from symgd.plotting.phases import plot_rule
from symgd.plotting.pictures import plot_fit, plot_many, plot_objective, plot_run
from symgd.plotting.profile import plot_profile
from symgd.plotting.slices import plot_slices

__all__ = [
    "Film", "animate", "check_film", "check_path", "plot_fit", "plot_many", "plot_map", "plot_modes", "plot_objective",
    "plot_profile", "plot_rule", "plot_run", "plot_runs", "plot_slices", "save",
]  # fmt: skip
