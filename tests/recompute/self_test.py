"""Alters each kind of figure of one answer in turn: a comparison that does not find it is none."""

import copy

# Of an answer, what no figure is: where and when, names, and how late the data is.
NOT_COMPARED = {"as_of", "area_unit", "catalogue_version", "currency", "day", "day_is_over", "id", "label", "lag_seconds",
                "name", "observed_at", "path", "purpose", "reference", "zone"}


def leaves(node, path=()):
    """(path, value) of all values of a document."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from leaves(value, path + (name,))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from leaves(value, path + (index,))
    else:
        yield path, node


def altered(answer, path):
    copied = copy.deepcopy(answer)
    node = copied
    for step in path[:-1]:
        node = node[step]
    value = node[path[-1]]
    if isinstance(value, bool):
        node[path[-1]] = not value
    elif isinstance(value, (int, float)):
        node[path[-1]] = value + 1 if isinstance(value, int) else value + max(0.03, 0.03 * abs(value))
    else:
        node[path[-1]] = "1999-12-31" if isinstance(value, str) else 1
    return copied


def run(answer, wrong_of):
    """`wrong_of` counts the differences of an answer. Returns how many kinds of figures were altered, and which of these
    were not found."""
    chosen = {}
    for path, value in leaves(answer):
        kind = tuple("#" if isinstance(step, int) else step for step in path)
        name = path[-1] if not isinstance(path[-1], int) else path[-2]
        if name not in NOT_COMPARED and (kind not in chosen or chosen[kind][1] is None):
            chosen[kind] = path, value
    before = wrong_of(answer)
    missed = [".".join(map(str, path)) for path, _ in chosen.values() if wrong_of(altered(answer, path)) <= before]
    return len(chosen), missed
