"""Write samples to the current folder: x.npy, 200 000 rows of 4 numbers, and y.npy, their labels, 1 and -1."""

import numpy as np

generator = np.random.default_rng(0)
x = generator.standard_normal((200_000, 4))
y = np.where(x @ [1, -2, 3, 0] + generator.standard_normal(200_000) > 0, 1.0, -1.0)
np.save("x.npy", x)
np.save("y.npy", y)
