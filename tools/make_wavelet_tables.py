#!/usr/bin/env python3
"""Writes include/limbic/signal/wavelet_tables.hpp: the filters of the discrete wavelet families.

Not needed to build or test: the header is kept. It needs mpmath and PyWavelets (pip install mpmath PyWavelets), takes
half a minute, and gives the same bytes each time.

Every filter but dmey's is computed to 60 digits from the equations that define it, checked against them, and rounded to
double once:

  db      Daubechies 1988: spectral factor of the half-band polynomial P(y) = sum_k C(N-1+k, k) y^k, y = sin^2(w/2); all
          zeros inside the unit circle.
  sym     the same polynomial, other zeros: OUTSIDE says which go outside. It is the choice of PyWavelets (and Matlab),
          which no short rule reproduces: it is not the flattest phase for N > 9.
  coif    orthogonality, 2K vanishing moments of the wavelet and 2K - 1 of the scaling function (Daubechies 1993), solved
          by Newton's method. The equations have several solutions; PyWavelets' filters are the starting point.
  bior    Cohen, Daubechies and Feauveau 1992: splines (1.x, 2.x, 3.x) and the zeros of P shared between both filters
          (4.4, 5.5, 6.8), SHARED saying how.
  dmey    a finite filter for Meyer's wavelet, known by its 62 numbers only: those of Matlab's Wavelet Toolbox (Misiti,
          Misiti, Oppenheim and Poggi), which PyWavelets has. It reconstructs to about 2e-3.
"""
import pathlib
import sys

import pywt
from mpmath import binomial, mp, mpc, mpf, polyroots, sqrt

mp.dps = 120
EXACT = mpf(10) ** -60
# sym N: bit i: the i-th zero (or pair of zeros), counted from the smallest modulus on, is moved outside the unit circle.
OUTSIDE = {2: 0b0, 3: 0b0, 4: 0b10, 5: 0b1, 6: 0b101, 7: 0b1, 8: 0b1010, 9: 0b110, 10: 0b10101, 11: 0b110, 12: 0b10101,
           13: 0b11100, 14: 0b101100, 15: 0b11100, 16: 0b1011001, 17: 0b10001110, 18: 0b101001101, 19: 0b1110100,
           20: 0b101100101}
SPLINES = [(1, 1), (1, 3), (1, 5), (2, 2), (2, 4), (2, 6), (2, 8), (3, 1), (3, 3), (3, 5), (3, 7), (3, 9)]
# bior: zeros at pi of dec_lo and of rec_lo; which zeros of P (in the order of their real part) dec_lo has; first taps.
SHARED = {(4, 4): (4, 4, 0b10, 1, 1), (5, 5): (4, 6, 0b10, 2, 0), (6, 8): (8, 6, 0b101, 1, 3)}


def product(a, b):
    r = [mpf(0)] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            r[i + j] += x * y
    return r


def to_sqrt2(h):
    """Scaled to the sum sqrt(2)."""
    return [x * sqrt(mpf(2)) / sum(h) for x in h]


def binomials(n):
    """(1 + z)^n"""
    return [binomial(n, k) for k in range(n + 1)]


def half_band(K):
    return [binomial(K - 1 + k, k) for k in range(K)]


def zeros_of(K):
    """One zero y of P for each real one and each conjugate pair."""
    if K == 1:
        return []
    ys = [mpc(y) for y in polyroots(half_band(K)[::-1], maxsteps=1000, extraprec=1000)]
    return [y for y in ys if y.imag > -EXACT]


def daubechies(N, outside):
    zeros = []
    for y in zeros_of(N):  # y = (2 - z - 1/z) / 4
        w = 1 - 2 * y
        z = w + sqrt(w * w - 1)
        zeros.append((1 / z if abs(z) > 1 else z, abs(y.imag) < EXACT))
    zeros.sort(key=lambda z: abs(z[0]))
    h = binomials(N)
    for i, (z, real) in enumerate(zeros):
        z = 1 / z if outside >> i & 1 else z
        h = product(h, [1, -z.real] if real else [1, -2 * z.real, abs(z) ** 2])
    return to_sqrt2(h)


def solve(a, b):
    """Gaussian elimination with row pivots."""
    n = len(b)
    for c in range(n):
        p = max(range(c, n), key=lambda r: abs(a[r][c]))
        a[c], a[p], b[c], b[p] = a[p], a[c], b[p], b[c]
        for r in range(c + 1, n):
            f = a[r][c] / a[c][c]
            if f:
                for k in range(c + 1, n):
                    a[r][k] -= f * a[c][k]
                b[r] -= f * b[c]
    x = [mpf(0)] * n
    for r in range(n - 1, -1, -1):
        x[r] = (b[r] - sum(a[r][k] * x[k] for k in range(r + 1, n))) / a[r][r]
    return x


def coiflet(K, start):
    """6K equations in 6K taps: the even moments of the scaling function follow from the odd ones."""
    n = 6 * K
    h = [mpf(x) for x in start]
    centre = int(round(sum(k * x for k, x in enumerate(start)) / sum(start)))
    moment = [[(mpf(k - centre) / (2 * K)) ** p for k in range(n)] for p in range(2 * K)]
    for _ in range(40):
        values, rows = [], []
        for s in range(3 * K):
            values.append(sum(h[k] * h[k + 2 * s] for k in range(n - 2 * s)) - (s == 0))
            row = [mpf(0)] * n
            for k in range(n - 2 * s):
                row[k] += h[k + 2 * s]
                row[k + 2 * s] += h[k]
            rows.append(row)
        rows += [[(-1) ** k * x for k, x in enumerate(moment[p])] for p in range(2 * K)]
        rows += [list(moment[p]) for p in range(1, 2 * K, 2)]
        values += [sum(x * y for x, y in zip(row, h)) for row in rows[3 * K:]]
        if max(map(abs, values)) < EXACT:
            for p in range(2, 2 * K, 2):
                assert abs(sum(x * y for x, y in zip(moment[p], h))) < EXACT
            return h
        h = [x - d for x, d in zip(h, solve(rows, values))]
    raise ArithmeticError("coif%d: Newton's method does not converge" % K)


def of_y(p):
    """A polynomial in y = (2 - z - 1/z) / 4, lowest power first, as taps."""
    y, r = [mpf(-1) / 4, mpf(1) / 2, mpf(-1) / 4], [mpf(p[-1])]
    for c in reversed(p[:-1]):
        r = product(r, y)
        r[len(r) // 2] += c
    return r


def padded(h, first, length):
    return [mpf(0)] * first + h + [mpf(0)] * (length - first - len(h))


def biorthogonal(n, m):
    """(dec_lo, rec_lo) with PyWavelets' zeros around them."""
    if (n, m) in SHARED:
        dec_zeros, rec_zeros, mask, dec_first, rec_first = SHARED[n, m]
        dec, rec = [mpf(1)], [mpf(1)]
        for i, y in enumerate(sorted(zeros_of((n + m) // 2), key=lambda y: y.real)):
            factor = [1, -1 / y.real] if abs(y.imag) < EXACT else [1, -2 * (1 / y).real, abs(1 / y) ** 2]
            if mask >> i & 1:
                dec = product(dec, factor)
            else:
                rec = product(rec, factor)
        dec, rec = product(binomials(dec_zeros), of_y(dec)), product(binomials(rec_zeros), of_y(rec))
    else:
        dec, rec = product(binomials(m), of_y(half_band((n + m) // 2))), binomials(n)
        dec_first, rec_first = (0, m - 1) if n % 2 else (1, m - 1)
    length = max(dec_first + len(dec), rec_first + len(rec))
    length += length % 2
    return padded(to_sqrt2(dec), dec_first, length), padded(to_sqrt2(rec), rec_first, length)


def check_pair(name, dec, rec, tolerance=EXACT):
    """Perfect reconstruction: sum_k rec[k] dec[L - 1 - k - 2s] is 1 for s = 0, else 0."""
    n = len(rec)
    for s in range(-n // 2, n // 2 + 1):
        total = sum(rec[k] * dec[n - 1 - k - 2 * s] for k in range(n) if 0 <= n - 1 - k - 2 * s < n)
        assert abs(total - (s == 0)) < tolerance, (name, s, total)


def compare(name, dec, rec, tolerance):
    w = pywt.Wavelet(name)
    assert len(w.rec_lo) == len(rec), name
    worst = max(abs(float(a) - b) for a, b in zip(dec + rec, w.dec_lo + w.rec_lo))
    assert worst < tolerance, (name, worst)
    print("%-8s %3d taps, from PyWavelets' table by %.1e" % (name, len(rec), worst), file=sys.stderr, flush=True)


def numbers(values):
    lines, line = [], "   "
    for x in values:
        text = " " + repr(float(x)).replace("e-0", "e-") + ","
        if len(line) + len(text) > 119:
            lines.append(line)
            line = "   "
        line += text
    return "\n".join(lines + [line])


def main():
    daub, sym, coif, bior, index = [], [], [], [], []
    for N in range(1, 39):
        h = daubechies(N, 0)
        check_pair("db%d" % N, h[::-1], h)
        compare("db%d" % N, h[::-1], h, 1e-13)
        daub += h
    for N in range(2, 21):
        h = daubechies(N, OUTSIDE[N])
        check_pair("sym%d" % N, h[::-1], h)
        compare("sym%d" % N, h[::-1], h, 2e-11)
        sym += h
    for n, m in SPLINES + sorted(SHARED):
        name = "bior%d.%d" % (n, m)
        dec, rec = biorthogonal(n, m)
        check_pair(name, dec, rec)
        compare(name, dec, rec, 2e-12)
        compare("rbio%d.%d" % (n, m), rec[::-1], dec[::-1], 2e-12)
        index.append("{%d, %d, %d, %d}" % (n, m, len(rec), len(bior)))
        bior += dec + rec
    for K in range(1, 18):
        h = coiflet(K, pywt.Wavelet("coif%d" % K).rec_lo)
        check_pair("coif%d" % K, h[::-1], h)
        compare("coif%d" % K, h[::-1], h, 1e-15)
        coif += h
    dmey = pywt.Wavelet("dmey").rec_lo
    assert dmey[:30] == dmey[60:30:-1] and dmey[61] == 0
    check_pair("dmey", dmey[::-1], dmey, 4e-3)
    text = HEADER % (numbers(daub), numbers(sym), numbers(coif), ", ".join(index), numbers(bior), numbers(dmey[:31]))
    target = pathlib.Path(__file__).resolve().parent.parent / "include" / "limbic" / "signal" / "wavelet_tables.hpp"
    target.write_text(text, encoding="utf-8")


HEADER = """// limbic/signal/wavelet_tables.hpp - the numbers behind signal/wavelet.hpp, written by tools/make_wavelet_tables.py
//
// Computed to 60 digits from the equations that define each family, and rounded once; dmey's are those of Matlab's Wavelet
// Toolbox and PyWavelets. Where they come from, and how they were checked, is said in that program.
#pragma once

#include <limbic/config.hpp>

// clang-format off
LIMBIC_BEGIN
namespace detail {

// rec_lo of db1, db2, ... db38: dbN has 2N taps and begins at N (N - 1).
inline constexpr double daubechies_taps[] = {
%s
};

// rec_lo of sym2, ... sym20: symN has 2N taps and begins at N (N - 1) - 2.
inline constexpr double symlet_taps[] = {
%s
};

// rec_lo of coif1, ... coif17: coifK has 6K taps and begins at 3K (K - 1).
inline constexpr double coiflet_taps[] = {
%s
};

// biorN.M: dec_lo, then rec_lo, `length` taps each from `first` on.
struct biorthogonal_entry {
  int n, m, length, first;
};
inline constexpr biorthogonal_entry biorthogonal_index[] = {%s};
inline constexpr double biorthogonal_taps[] = {
%s
};

// dmey: the first 31 of 62 taps; 30 follow in reverse order, then a 0.
inline constexpr double dmey_taps[] = {
%s
};

}  // namespace detail
LIMBIC_END
"""

if __name__ == "__main__":
    main()
