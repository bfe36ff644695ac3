"""What published optimizers do: the table of rules, and the forms in which papers and libraries have them besides.

An optimizer that agrees with one of these is right, whatever its author calls it. Rows read ``lr`` and what their
hyperparameters are called; ``init`` may read the first gradient.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import cache

from symgd.records import dataclass
from symgd.rules import RULES
from symgd.testing.causes.recurrence import Recurrence, read


@dataclass(frozen=True, eq=False)
class Form:
    """A published form of an optimizer.

    Parameters
    ----------
    method : str
        The row of the table of rules that it is a form of; or the name of one that the table does not have.
    text : str
        The recurrence.
    source : str
        Where it is from, and in what it differs from the row of the table.
    hyper : mapping of str to float
        Hyperparameters as they usually are.
    init : mapping of str to str
        What states start at.
    table : bool
        Whether it is the table's row itself.
    style : str
        The kind of optimizer that alone has it; where it would be taken for a slip of any other.
    common : bool
        Whether it is written so often that its neighbours are looked at, as those of the table are.
    """

    method: str
    text: str
    source: str
    hyper: Mapping[str, float] = field(default_factory=dict)
    init: Mapping[str, str] = field(default_factory=dict)
    table: bool = False
    style: str = ""
    common: bool = False

    def recurrence(self) -> Recurrence:
        """Give it as trees."""
        return _read(self)


@cache
def _read(form: Form) -> Recurrence:
    return read(form.text, form.hyper, form.init)


_M = "m = beta1*m + (1 - beta1)*g; "
_MV = _M + "v = beta2*v + (1 - beta2)*g**2; "
_ADAM = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
_DECAYED = {**_ADAM, "decay": 0.01}
_BIASED = "x = x - lr*(m/(1 - beta1**t))/(sqrt(v/(1 - beta2**t)) + eps)"
_RMS = "s = beta*s + (1 - beta)*g**2; "
_L2 = "h = g + decay*x; "

_FORMS = (
    # ---- gradient descent and momentum
    Form("gd", "x = x - lr*(g + decay*x)", "L2 penalty, as weight_decay of torch.optim.SGD", {"decay": 0.01}),
    Form("gd", "x = x - lr*g - decay*x", "decoupled decay (Loshchilov and Hutter 2019, algorithm 1)", {"decay": 0.01}),
    Form("momentum", "v = beta*v + g; x = x - lr*v", "the learning rate outside, as in torch.optim.SGD", {"beta": 0.9}),
    Form("momentum", "v = beta*v + (1 - beta)*g; x = x - lr*v", "an average of gradients", {"beta": 0.9}),
    Form("momentum", "v = beta*v + (1 - beta)*g; x = x - lr*v/(1 - beta**t)", "a corrected average (optax.ema)",
         {"beta": 0.9}),
    Form("momentum", "v = beta*v + (1 - dampening)*g; x = x - lr*v",
         "dampening of torch.optim.SGD, whose first velocity is the gradient", {"beta": 0.9, "dampening": 0.5},
         {"v": "dampening*g/beta"}),
    Form("momentum", "z = x + beta*(x - p) - lr*g; p = x; x = z", "two points (Polyak 1964, equation 9)",
         {"beta": 0.9}, {"p": "x"}),
    Form("momentum", _L2 + "v = beta*v + h; x = x - lr*v", "L2 penalty, as weight_decay of torch.optim.SGD",
         {"beta": 0.9, "decay": 0.01}, common=True),
    Form("momentum", "v = beta*v + g; x = x - lr*(v + decay*x)", "decoupled decay (optax.add_decayed_weights last)",
         {"beta": 0.9, "decay": 0.01}),
    Form("nesterov", _L2 + "v = beta*v + h; x = x - lr*(h + beta*v)", "L2 penalty, as weight_decay of torch.optim.SGD",
         {"beta": 0.9, "decay": 0.01}),
    Form("nesterov", "v = beta*v - lr*g; x = x + beta*v - lr*g", "the velocity in units of x (Keras)", {"beta": 0.9}),
    Form("nesterov", "z = x - lr*g; x = z + beta*(z - p); p = z", "two sequences (Nesterov 2018, scheme 2.2.22)",
         {"beta": 0.9}, {"p": "x"}),
    Form("nesterov", "z = x - lr*g; x = z + t/(t + 3)*(z - p); p = z", "momentum t/(t + 3) (Su, Boyd, Candes 2014)", {},
         {"p": "x"}),
    Form("nesterov", "w = v; v = beta*v - lr*g; x = x - beta*w + (1 + beta)*v", "with the velocity before (CS231n)",
         {"beta": 0.9}, {"v": "0*g"}, common=True),
    Form("qhm", "v = beta*v + (1 - beta)*g; x = x - lr*((1 - nu)*g + nu*v)",
         "quasi-hyperbolic momentum (Ma and Yarats 2019)", {"beta": 0.9, "nu": 0.7}),
    Form("asgd", "x = x*(1 - decay*a) - a*g; a = lr/(1 + decay*lr*t)**0.75",
         "averaged SGD (Polyak and Juditsky 1992; torch.optim.ASGD)", {"decay": 1e-4}, {"a": "lr"}),
    # ---- from signs
    Form("signum", "m = beta*m + (1 - beta)*g; x = x - lr*sign(m)", "the sign of a momentum (Bernstein et al. 2018)",
         {"beta": 0.9}, common=True),
    Form("rprop", "s = where(g*p > 0, minimum(s*up, largest), where(g*p < 0, maximum(s*down, smallest), s)); p = g; "
         "x = x - s*sign(g)", "Rprop- (Igel and Huesken 2000)",
         {"up": 1.2, "down": 0.5, "largest": 50.0, "smallest": 1e-6}, {"s": "lr"}),
    # ---- Adagrad, RMSProp, Adadelta
    Form("adagrad", "s = s + g**2; x = x - lr*g/sqrt(s + eps)", "eps inside of the root (Duchi et al. 2011; textbooks)",
         {"eps": 1e-7}),
    Form("adagrad", "s = s + g**2; x = x - lr*g/sqrt(s + eps)", "sums from 0.1, as in Keras and optax", {"eps": 1e-7},
         {"s": "0.1 + 0*g"}),
    Form("adagrad", "s = s + g**2; x = x - lr*g/(sqrt(s) + eps)", "sums from 0.1, eps outside", {"eps": 1e-7},
         {"s": "0.1 + 0*g"}),
    Form("adagrad", "s = s + g**2; x = x - lr/(1 + (t - 1)*lr_decay)*g/(sqrt(s) + eps)",
         "lr_decay of torch.optim.Adagrad", {"eps": 1e-10, "lr_decay": 0.01}),
    Form("adagrad", _L2 + "s = s + h**2; x = x - lr*h/(sqrt(s) + eps)", "L2 penalty", {"eps": 1e-10, "decay": 0.01}),
    Form("rmsprop", _RMS + "x = x - lr*g/sqrt(s + eps)", "eps inside of the root (optax; textbooks)",
         {"beta": 0.9, "eps": 1e-8}),
    Form("rmsprop", _RMS + "x = x - lr*g/(sqrt(s/(1 - beta**t)) + eps)", "corrected for its start",
         {"beta": 0.9, "eps": 1e-8}),
    Form("rmsprop", _RMS + "x = x - lr*g/sqrt(s/(1 - beta**t) + eps)", "corrected for its start, eps inside",
         {"beta": 0.9, "eps": 1e-8}),
    Form("rmsprop", "a = beta*a + (1 - beta)*g; " + _RMS + "x = x - lr*g/(sqrt(s - a**2) + eps)",
         "centered (Graves 2013)", {"beta": 0.9, "eps": 1e-8}),
    Form("rmsprop", "a = beta*a + (1 - beta)*g; " + _RMS + "x = x - lr*g/sqrt(s - a**2 + eps)",
         "centered (Graves 2013), eps inside", {"beta": 0.9, "eps": 1e-8}),
    Form("rmsprop", _RMS + "v = momentum*v + g/(sqrt(s) + eps); x = x - lr*v", "with momentum (torch.optim.RMSprop)",
         {"beta": 0.9, "eps": 1e-8, "momentum": 0.9}, common=True),
    Form("rmsprop", _RMS + "v = momentum*v + lr*g/sqrt(s + eps); x = x - v", "with momentum, eps inside (TensorFlow)",
         {"beta": 0.9, "eps": 1e-8, "momentum": 0.9}),
    Form("rmsprop", "a = beta*a + (1 - beta)*g; " + _RMS + "v = momentum*v + g/(sqrt(s - a**2) + eps); x = x - lr*v",
         "centered, with momentum (torch.optim.RMSprop)", {"beta": 0.9, "eps": 1e-8, "momentum": 0.9}),
    Form("rmsprop", "a = beta*a + (1 - beta)*g; " + _RMS + "v = momentum*v + lr*g/sqrt(s - a**2 + eps); x = x - v",
         "centered, with momentum, eps inside (Keras)", {"beta": 0.9, "eps": 1e-8, "momentum": 0.9}),
    Form("rmsprop", "h = g + decay*x; s = beta*s + (1 - beta)*h**2; x = x - lr*h/(sqrt(s) + eps)", "L2 penalty",
         {"beta": 0.9, "eps": 1e-8, "decay": 0.01}),
    Form("adadelta", "s = rho*s + (1 - rho)*g**2; d = sqrt(u + eps)/sqrt(s + eps)*g; x = x - d; "
         "u = rho*u + (1 - rho)*d**2", "without a learning rate (Zeiler 2012)", {"rho": 0.95, "eps": 1e-6}),
    # ---- Adam and its kin
    Form("adam", _MV + "x = x - lr*sqrt(1 - beta2**t)/(1 - beta1**t)*m/(sqrt(v) + eps)",
         "eps added before the correction (Kingma and Ba 2015, end of section 2; Keras)", _ADAM),
    Form("adam", "h = g + decay*x; m = beta1*m + (1 - beta1)*h; v = beta2*v + (1 - beta2)*h**2; " + _BIASED,
         "L2 penalty, as weight_decay of torch.optim.Adam", _DECAYED),
    Form("adam", _MV + "x = x - lr*(m/(1 - beta1**t))/(sqrt(v/(1 - beta2**t) + root) + eps)",
         "eps_root of optax.adam", {**_ADAM, "root": 1e-8}, style="optax"),
    Form("adamw", _MV + "x = x - lr*(m/(1 - beta1**t))/(sqrt(v/(1 - beta2**t)) + eps) - decay*x",
         "decay apart from the learning rate (Loshchilov and Hutter 2019, algorithm 2)", _DECAYED),
    Form("adamw", "h = x*(1 - lr*decay); " + _MV + _BIASED.replace("x = x", "x = h"),
         "the decay first, as in torch.optim.AdamW", _DECAYED),
    Form("adamw", _MV + _BIASED + "; x = x - lr*decay*x", "the decay last, as in Hugging Face's AdamW", _DECAYED),
    Form("adamw", _MV + "h = x*(1 - lr*decay); x = h - lr*sqrt(1 - beta2**t)/(1 - beta1**t)*m/(sqrt(v) + eps)",
         "eps added before the correction (Keras)", _DECAYED),
    Form("adamax", _M + "u = maximum(beta2*u, abs(g)); x = x - lr/(1 - beta1**t)*m/(u + eps)",
         "Kingma and Ba 2015, algorithm 2", _ADAM, common=True),
    Form("adamax", _M + "u = maximum(beta2*u, abs(g) + eps); x = x - lr/(1 - beta1**t)*m/u", "torch.optim.Adamax",
         _ADAM),
    Form("amsgrad", _MV + "u = maximum(u, v); x = x - lr*m/(sqrt(u) + eps)",
         "without correction (Reddi et al. 2018, algorithm 2)", _ADAM),
    Form("amsgrad", _MV + "u = maximum(u, v/(1 - beta2**t)); x = x - lr*(m/(1 - beta1**t))/(sqrt(u) + eps)",
         "the largest of corrected moments (optax.amsgrad)", _ADAM),
    Form("amsgrad", _MV + "u = maximum(u, v); x = x - lr*sqrt(1 - beta2**t)/(1 - beta1**t)*m/(sqrt(u) + eps)",
         "eps added before the correction (Keras)", _ADAM),
    Form("amsgrad", _MV + "u = maximum(u, v); x = x - lr*((m/(1 - beta1**t))/(sqrt(u/(1 - beta2**t)) + eps) + decay*x)",
         "with decoupled decay (torch.optim.AdamW)", _DECAYED),
    Form("nadam", "q = where(t < 2, 1, q); n = beta1*(1 - 0.5*0.96**(t*psi)); w = beta1*(1 - 0.5*0.96**((t + 1)*psi)); "
         "q = q*n; " + _MV
         + "x = x - lr*((1 - n)*g/(1 - q) + w*m/(1 - q*w))/(sqrt(v/(1 - beta2**t)) + eps)",
         "momentum that grows (Dozat 2016, algorithm 2; torch.optim.NAdam)", {**_ADAM, "psi": 0.004}),
    Form("nadam", "q = where(t < 2, 1, q); n = beta1*(1 - 0.5*0.96**t); w = beta1*(1 - 0.5*0.96**(t + 1)); q = q*n; "
         + _MV + "x = x - lr*((1 - n)*g/(1 - q) + w*m/(1 - q*w))/(sqrt(v/(1 - beta2**t)) + eps)",
         "momentum that grows (Dozat 2016; Keras)", _ADAM),
    Form("nadam", _MV + "d = beta1*m/(1 - beta1**t) + (1 - beta1)*g/(1 - beta1**t); "
         "x = x - lr*d/(sqrt(v/(1 - beta2**t)) + eps)", "both parts corrected alike (Ruder 2016)", _ADAM),
    Form("nadamw", _MV + "d = beta1*m/(1 - beta1**(t + 1)) + (1 - beta1)*g/(1 - beta1**t); "
         "x = x - lr*(d/(sqrt(v/(1 - beta2**t)) + eps) + decay*x)", "NAdam with decoupled decay", _DECAYED),
    Form("radam", _MV + "k = 2/(1 - beta2) - 1; r = k - 2*t*beta2**t/(1 - beta2**t); "
         "c = sqrt(maximum((r - 4)*(r - 2)*k/((k - 4)*(k - 2)*r), 0)); "
         "x = x - lr*m/(1 - beta1**t)*where(r > 5, c*sqrt(1 - beta2**t)/(sqrt(v) + eps), 1)",
         "rectified Adam (Liu et al. 2020; torch.optim.RAdam)", _ADAM),
    Form("radam", _MV + "k = 2/(1 - beta2) - 1; r = k - 2*t*beta2**t/(1 - beta2**t); "
         "c = sqrt(maximum((r - 4)*(r - 2)*k/((k - 4)*(k - 2)*r), 0)); "
         "x = x - lr*m/(1 - beta1**t)*where(r >= 5, c/(sqrt(v/(1 - beta2**t)) + eps), 1)",
         "rectified Adam (Liu et al. 2020; optax.radam)", _ADAM),
    Form("adabelief", _M + "v = beta2*v + (1 - beta2)*(g - m)**2 + eps; "
         + _BIASED, "Zhuang et al. 2020, algorithm 2", {**_ADAM, "eps": 1e-8}),
    Form("adabelief", _M + "v = beta2*v + (1 - beta2)*(g - m)**2; " + _BIASED, "eps once", _ADAM),
    Form("adabelief", _M + "v = beta2*v + (1 - beta2)*(g - m)**2; "
         "x = x - lr*(m/(1 - beta1**t))/(sqrt(v/(1 - beta2**t) + root) + eps)", "optax.adabelief",
         {**_ADAM, "eps": 1e-8, "root": 1e-10}),
    Form("adabelief", _M + "v = beta2*v + (1 - beta2)*(g - m)**2 + root; "
         "x = x - lr*(m/(1 - beta1**t))/(sqrt(v/(1 - beta2**t)) + eps)", "optax.adabelief",
         {**_ADAM, "eps": 1e-8, "root": 1e-10}),
    Form("yogi", _M + "v = v - (1 - beta2)*sign(v - g**2)*g**2; x = x - lr*m/(sqrt(v) + eps)",
         "Zaheer et al. 2018, algorithm 2", {**_ADAM, "eps": 1e-3}),
    Form("yogi", _M + "v = v - (1 - beta2)*sign(v - g**2)*g**2; " + _BIASED, "corrected for its start",
         {**_ADAM, "eps": 1e-3}),
    Form("yogi", _M + "v = v - (1 - beta2)*sign(v - g**2)*g**2; " + _BIASED, "moments from 1e-6 (optax.yogi)",
         {**_ADAM, "eps": 1e-3}, {"v": "1e-6 + 0*g", "m": "1e-6 + 0*g"}),
    Form("qhadam", _MV + "x = x - lr*((1 - nu1)*g + nu1*m/(1 - beta1**t))/(sqrt((1 - nu2)*g**2 + nu2*v/(1 - beta2**t)) "
         "+ eps)", "quasi-hyperbolic Adam (Ma and Yarats 2019)", {**_ADAM, "nu1": 0.7, "nu2": 0.9}),
    Form("sm3", "s = s + g**2; m = beta*m + (1 - beta)*g/(sqrt(s) + eps); x = x - lr*m",
         "Anil et al. 2019, of a vector", {"beta": 0.9, "eps": 1e-10}),
    # ---- one number for the whole point
    Form("normalized", "x = x - lr*g/norm(g)", "normalized gradient descent (Nesterov 1984)"),
    Form("adagrad norm", "s = s + sum(g**2); x = x - lr*g/(sqrt(s) + eps)", "Ward, Wu and Bottou 2019", {"eps": 1e-10}),
    Form("clipped", "x = x - lr*g*minimum(1, largest/(norm(g) + 1e-6))", "clipped by its norm (Pascanu et al. 2013)",
         {"largest": 1.0}),
    Form("novograd", "n = sum(g**2); v = where(t < 2, n, beta2*v + (1 - beta2)*n); "
         "m = beta1*m + g/(sqrt(v) + eps); x = x - lr*m", "Ginsburg et al. 2019",
         {"beta1": 0.95, "beta2": 0.98, "eps": 1e-8}),
)  # fmt: skip


@cache
def forms() -> tuple[Form, ...]:
    """Give all published forms, those of the table first.

    Returns
    -------
    tuple of Form

    Examples
    --------
    >>> forms()[0].text
    'x = x - lr*g'
    """
    table = (
        Form(name, row.text, row.summary, row.hyper, row.init, table=True)
        for name, row in RULES.items()
        if "normal()" not in row.text
    )
    return (*table, *_FORMS)


def methods() -> Iterator[str]:
    """Give the names of all methods that there are forms of, each once.

    Yields
    ------
    str
    """
    yield from dict.fromkeys(f.method for f in forms())
