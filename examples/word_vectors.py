"""
Word vectors
============

Skip-gram with negative sampling: a word's vector has to tell the words around it from words that are drawn at random,
and so words that stand in the same places get similar vectors. The corpus is made by a small grammar, whose categories
the model never sees. Mikolov et al. (2013), "Distributed representations of words and phrases and their
compositionality".
"""

import numpy as np

import symgd as sg

categories = {
    "royalty": "king queen prince princess duke duchess",
    "buildings": "castle palace tower hall court",
    "animals": "dog cat horse cow sheep goat",
    "places": "meadow barn stable field forest",
    "food": "bread cheese soup cake honey apple",
    "dishes": "plate bowl basket jar spoon",
}
members = {name: words.split() for name, words in categories.items()}
sentences = (
    "the royalty rules from the buildings",
    "one royalty and one royalty dance in the buildings",
    "every animals grazes in the places",
    "one animals and one animals sleep behind the places",
    "we eat food and food from a dishes",
    "the food is served on the dishes",
)
rng = np.random.default_rng(0)
corpus = [
    [rng.choice(members[w]) if w in members else w for w in sentences[k].split()] for k in rng.integers(0, 6, 1500)
]
vocabulary = sorted({word for sentence in corpus for word in sentence})
number = {word: k for k, word in enumerate(vocabulary)}

# Pairs of a word and one of the four around it, and for each five words that are drawn by their frequency.
pairs = [
    (number[word], number[near])
    for sentence in corpus
    for i, word in enumerate(sentence)
    for near in sentence[max(i - 2, 0) : i] + sentence[i + 1 : i + 3]
]
word, near = np.array(pairs).T
chance = np.bincount(near) ** 0.75
drawn = rng.choice(len(vocabulary), (len(word), 5), p=chance / chance.sum())

f = sg.Objective(
    "mean(softplus(-sum(W[c]*C[o], axis=1)) + sum(softplus(sum(W[c][:, None, :]*C[n], axis=2)), axis=1))",
    data={"c": word, "o": near, "n": drawn},
)
size = 16
start = {"W": rng.normal(0, 0.1, (len(vocabulary), size)), "C": rng.normal(0, 0.1, (len(vocabulary), size))}
run = f.minimize(start=start, method="adam", lr="0.02/(1 + t/500)", batch=256, epochs=8, seed=0)
print(f"{len(corpus):,} sentences of {len(vocabulary)} words, {len(word):,} pairs; loss by epoch:")
print(", ".join(f"{loss:.3f}" for loss in run.history.value))

vectors = run.point["W"] / np.linalg.norm(run.point["W"], axis=1, keepdims=True)
for name, words in members.items():
    for w in words[:2]:
        order = np.argsort(-vectors @ vectors[number[w]])
        print(f"{w + ' (' + name + ')':22} {', '.join(vocabulary[k] for k in order[1:5])}")
own = {number[w]: name for name, words in members.items() for w in words}
nearest = {k: max((i for i in own if i != k), key=lambda i: vectors[i] @ vectors[k]) for k in own}
print(f"the nearest noun is of the same category for {sum(own[k] == own[i] for k, i in nearest.items())} of {len(own)}")

# %%
# In pictures
# -----------
# The loss after each epoch, and what single batches saw of it.

run.plot(kind="loss")
