"""PCA by scikit-learn and subspace angles by SciPy, as one would write it.

usage: pca.py FOLDER

FOLDER is what `moeprobe-bench pca --dump` wrote; its results are compared.
"""

import argparse
import itertools
import pathlib

import measurement
import numpy as np
import scipy.linalg
from sklearn.decomposition import PCA

COMPONENTS = 5


def find_subspaces(tokens):
    """Eigenvalues of each expert, and Grassmann distances of all pairs."""
    fits = [PCA().fit(rows) for rows in tokens]
    bases = [fit.components_[:COMPONENTS].T for fit in fits]
    distances = np.zeros((len(fits), len(fits)))
    for i, j in itertools.combinations(range(len(fits)), 2):
        angles = scipy.linalg.subspace_angles(bases[i], bases[j])
        distances[i, j] = distances[j, i] = np.linalg.norm(angles)
    return [fit.explained_variance_ for fit in fits], distances


def eigenvalue_error(ours, theirs):
    """Largest difference, in units of the expert's largest eigenvalue."""
    return max(
        np.abs(a[: len(b)] - b).max() / b[0] for a, b in zip(ours, theirs, strict=True)
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    tokens = np.load(folder / "h.npy")
    results = []
    seconds = measurement.seconds(lambda: results.append(find_subspaces(tokens)))
    eigenvalues, distances = results[0]
    distance_error = np.abs(np.load(folder / "grassmann.npy") - distances).max()
    measurement.print_figure(
        {
            "peer": "sklearn PCA and scipy subspace_angles",
            "seconds": seconds,
            "eigenvalue_error": float(
                eigenvalue_error(np.load(folder / "eigenvalues.npy"), eigenvalues)
            ),
            "distance_error": float(distance_error),
        }
    )


if __name__ == "__main__":
    main()
