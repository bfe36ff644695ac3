"""
A recommender
=============

Which films would someone like? A rating is a mean, plus what this user and this film add to it, plus the product of
five tastes of the user with five traits of the film. Only one rating in eight is known; the others are predicted. The
ratings are generated, with noise of 0.3.
"""

import numpy as np

import symgd as sg

rng = np.random.default_rng(0)
users, items, rank = 300, 200, 5
taste, trait = rng.normal(0, 0.6, (users, rank)), rng.normal(0, 0.6, (items, rank))
known = np.flatnonzero(rng.random(users * items) < 1 / 8)
user, item = known // items, known % items
rating = 3.5 + rng.normal(0, 0.3, users)[user] + rng.normal(0, 0.4, items)[item]
rating += np.sum(taste[user] * trait[item], axis=1) + rng.normal(0, 0.3, len(known))

held = rng.random(len(known)) < 0.2
f = sg.Objective(
    "mean((r - mu - a[u] - c[v] - sum(U[u]*V[v], axis=1))**2 + 0.05*(sum(U[u]**2, axis=1) + sum(V[v]**2, axis=1)))",
    data={"r": rating[~held], "u": user[~held], "v": item[~held]},
)
start = {
    "mu": rating[~held].mean(),
    "a": np.zeros(users),
    "c": np.zeros(items),
    "U": rng.normal(0, 0.1, (users, rank)),
    "V": rng.normal(0, 0.1, (items, rank)),
}


def error(predicted):
    return np.sqrt(np.mean((rating[held] - predicted) ** 2))


run = f.minimize(start=start, method="adam", lr="0.02/(1 + t/2000)", batch=256, epochs=40, seed=0)
print(f"{len(f.data['r']):,} ratings of {users} users for {items} films, {len(run.history.names):,} weights")
for epoch, loss in zip(run.history.epoch[::5], run.history.value[::5], strict=True):
    print(f"epoch {epoch:2.0f}  loss {loss:.4f}")
mu, a, c, U, V = run.point.values()
u, v = user[held], item[held]
print(f"error on {held.sum():,} ratings that were held back:")
print(f"  always the mean      {error(rating[~held].mean()):.3f}")
print(f"  users and films      {error(mu + a[u] + c[v]):.3f}")
print(f"  and their {rank} traits   {error(mu + a[u] + c[v] + np.sum(U[u] * V[v], axis=1)):.3f}")

# %%
# In pictures
# -----------
# The loss after each epoch, and what single batches saw of it.

run.plot(kind="loss")
