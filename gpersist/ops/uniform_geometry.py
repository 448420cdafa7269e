"""Convolutions in any number of spatial axes, in any layout, dilated on both sides and in groups, of whole numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from gpersist.errors import InvalidArgumentError
from gpersist.ops.kernels import shown


class Layout(NamedTuple):
    """Which axes are which: of each array those of batch and features (of a kernel, output and input features), then the spatial ones."""

    lhs: list[int]
    rhs: list[int]
    output: list[int]

    @classmethod
    def of(cls, text: bytes, rank: int) -> Layout:
        """From a serialised UniformQuantizedConvolutionDimensionNumbersAttr; from nothing, all in this order."""
        fields: dict[int, list[int]] = {number: [] for number in range(1, 10)}
        for number, value in _fields(text):
            if number in fields:
                fields[number].append(value)
        if not fields[3]:
            return cls(*[list(range(rank))] * 3)
        one = {number: fields[number][-1] if fields[number] else 0 for number in (1, 2, 4, 5, 7, 8)}
        found = cls([one[1], one[2], *fields[3]], [one[5], one[4], *fields[6]], [one[7], one[8], *fields[9]])
        for axes in found:
            if sorted(axes) != list(range(rank)):
                raise InvalidArgumentError(f"Each dimension number must be in region [0, rank), once. Given rank {rank} and {axes}")
        return found


def _fields(text: bytes) -> Iterator[tuple[int, int]]:
    """The fields of a message of whole numbers, with those of packed ones."""
    place = 0

    def number() -> int:
        nonlocal place
        found = shift = 0
        while place < len(text) and shift < 64:
            byte = text[place]
            place += 1
            found |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return found
        raise InvalidArgumentError("Error parsing convolution dimension numbers.")

    while place < len(text):
        key = number()
        if key & 7 == 0:
            yield key >> 3, number()
        elif key & 7 == 2:
            end = number() + place
            while place < min(end, len(text)):
                yield key >> 3, number()
        else:
            raise InvalidArgumentError("Error parsing convolution dimension numbers.")


class Geometry:
    """A convolution in any number of spatial axes, its attributes checked against the shapes."""

    def __init__(self, attrs: dict[str, Any], lhs: tuple[int, ...], rhs: tuple[int, ...]) -> None:
        if len(lhs) != len(rhs):
            raise InvalidArgumentError(f"lhs and rhs must have same dims. Given lhs and rhs of shapes: {shown(lhs)}{shown(rhs)}")
        if len(lhs) <= 2:
            raise InvalidArgumentError(f"lhs and rhs shape dims must be at least 3. Given: {len(lhs)}")
        self.count = len(lhs) - 2
        self.strides, self.lhs_dilation, self.rhs_dilation = (
            self._each(attrs[name], name) for name in ("window_strides", "lhs_dilation", "rhs_dilation")
        )
        self.layout = Layout.of(attrs["dimension_numbers"], len(lhs))
        self.groups, self.batch_groups = attrs["feature_group_count"], attrs["batch_group_count"]
        left, right = [lhs[axis] for axis in self.layout.lhs], [rhs[axis] for axis in self.layout.rhs]
        self._check_groups(left, right)
        sizes = [_dilated(size, step) for size, step in zip(left[2:], self.lhs_dilation, strict=True)]
        kernel = [_dilated(size, step) for size, step in zip(right[2:], self.rhs_dilation, strict=True)]
        self.pairs = self._pairs(attrs["padding"], attrs["explicit_padding"], sizes, kernel)
        spatial = zip(sizes, kernel, self.pairs, self.strides, strict=True)
        counts = [(size + sum(pair) - width + stride) // stride for size, width, pair, stride in spatial]
        found = [left[0] // self.batch_groups, right[0], *counts]
        if min(found) < 0:
            raise InvalidArgumentError(f"the output would have a negative size: {found}")
        self.shape = [0] * len(lhs)
        for axis, size in zip(self.layout.output, found, strict=True):
            self.shape[axis] = size

    def _each(self, values: list[int], name: str) -> list[int]:
        if not values:
            return [1] * self.count
        if len(values) != self.count:
            raise InvalidArgumentError(f"Size of {name} Attr must be dims - 2.")
        if min(values) < 1:
            raise InvalidArgumentError(f"All elements of {name} must be >= 1. Given {', '.join(map(str, values))}")
        return list(values)

    def _check_groups(self, left: list[int], right: list[int]) -> None:
        for name, count, whole in (("feature", self.groups, left[1]), ("batch", self.batch_groups, left[0])):
            if count <= 0:
                raise InvalidArgumentError(f"{name}_group_count must be a positive integer, given: {count}")
            if whole % count:
                raise InvalidArgumentError(f"{name}_group_count must divide lhs {name} dimension size, but {count} does not divide {whole}")
            if right[0] % count:
                raise InvalidArgumentError(
                    f"rhs output dimension size must be a multiple of {name}_group_count, but {right[0]} is not one of {count}"
                )
        if left[1] // self.groups != right[1]:
            raise InvalidArgumentError(
                "lhs feature dimension size divided by feature_group_count must equal the rhs input feature dimension size, but "
                f"{left[1]} / {self.groups} != {right[1]}"
            )

    def _pairs(self, padding: bytes, explicit: list[int], sizes: list[int], kernel: list[int]) -> list[tuple[int, int]]:
        if padding not in (b"EXPLICIT", b"SAME", b"VALID"):
            raise InvalidArgumentError(f"padding Attr must be one of [EXPLICIT | SAME | VALID], but given: {padding.decode(errors='replace')}")
        if padding != b"EXPLICIT":
            if explicit:
                raise InvalidArgumentError("If padding Attr is not 'EXPLICIT', explicit_padding Attr must be empty.")
            if padding == b"VALID":
                return [(0, 0)] * self.count
            found = []
            for size, width, stride in zip(sizes, kernel, self.strides, strict=True):
                total = max((-(-size // stride) - 1) * stride + width - size, 0)
                found.append((total // 2, total - total // 2))
            return found
        if len(explicit) != 2 * self.count:
            raise InvalidArgumentError(f"Size of explicit_padding Attr must be 2 * (rank - 2). Given {len(explicit)}")
        if min(explicit) < 0:
            raise InvalidArgumentError(f"All explicit_padding elems must be >= 0, Given {', '.join(map(str, explicit))}")
        return list(zip(explicit[::2], explicit[1::2], strict=True))

    def correlated(self, left: Any, right: Any) -> Any:
        """What kernels give, [batch, features, *spatial], of whole numbers in their own layouts, zero points taken off."""
        left, right = np.transpose(left, self.layout.lhs), np.transpose(right, self.layout.rhs)
        padded = np.zeros(
            (
                *left.shape[:2],
                *(_dilated(size, step) + sum(pair) for size, step, pair in zip(left.shape[2:], self.lhs_dilation, self.pairs, strict=True)),
            ),
            np.float64,  # which holds every sum of products of 8 bits
        )
        inner = zip(left.shape[2:], self.lhs_dilation, self.pairs, strict=True)
        padded[(slice(None), slice(None), *(slice(pair[0], pair[0] + _dilated(size, step), step) for size, step, pair in inner))] = left
        widths = [_dilated(size, step) for size, step in zip(right.shape[2:], self.rhs_dilation, strict=True)]
        windows = np.lib.stride_tricks.sliding_window_view(padded, widths, tuple(range(2, padded.ndim)))
        windows = windows[
            (slice(None), slice(None), *(slice(None, None, step) for step in self.strides), *(slice(None, None, step) for step in self.rhs_dilation))
        ]
        axes = [1, *range(2 + self.count, 2 + 2 * self.count)]
        batches, features = windows.shape[0] // self.batch_groups, right.shape[1]
        parts = []
        for group in range(self.groups * self.batch_groups):
            rows = slice(group // self.groups * batches, (group // self.groups + 1) * batches) if self.batch_groups > 1 else slice(None)
            columns = slice(group % self.groups * features, (group % self.groups + 1) * features)
            chosen = np.array_split(right, self.groups * self.batch_groups)[group]
            part = np.tensordot(windows[rows, columns], chosen.astype(np.float64), (axes, range(1, right.ndim)))
            parts.append(np.moveaxis(part, -1, 1))
        return np.concatenate(parts, 1).astype(np.int64)

    def placed(self, found: Any) -> Any:
        """An output in its own layout."""
        return np.transpose(found, np.argsort(self.layout.output))


def _dilated(size: int, step: int) -> int:
    return (size - 1) * step + 1 if size else 0
