//! Against SciPy 1.17 (`ttest_ind`, `ks_2samp` with method "exact" up to 10,000 values and "asymp" above, `ranksums`).

use super::*;

/// `n` whole numbers below `limit` of Knuth's MMIX generator, `shift` added.
fn sample(seed: u64, n: usize, limit: u64, shift: f64) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % limit) as f64 + shift
    };
    (0..n).map(|_| next()).collect()
}

fn near(found: f64, wanted: f64, tolerance: f64) -> bool {
    (found - wanted).abs() <= tolerance * wanted.abs()
}

#[test]
#[allow(clippy::excessive_precision)]
fn results_are_those_of_scipy() {
    let a = |seed, n, limit, shift| sample(seed, n, limit, shift);
    // t-test, Kolmogorov-Smirnov, rank sum: each statistic and p-value.
    let cases = [
        (
            (a(1, 40, 100, 0.0), a(2, 60, 100, 0.0)),
            [
                (-0.6689609774653915, 0.5055046392162187),
                (0.175, 0.42268063959128677),
                (-0.8091371764398357, 0.4184362463197),
            ],
        ),
        (
            (a(1, 40, 100, 30.0), a(2, 60, 100, 0.0)),
            [
                (4.137944249830838, 8.81293589241563e-05),
                (0.325, 0.01033158607810265),
                (3.7185130238995927, 0.00020039896183768156),
            ],
        ),
        // Many ties.
        (
            (a(3, 200, 5, 0.0), a(4, 300, 5, 1.0)),
            [
                (-7.750605987942829, 7.00663331520209e-14),
                (0.265, 7.126401274673615e-08),
                (-6.95701432393187, 3.4755963345646355e-12),
            ],
        ),
        // No overlap.
        (
            (a(5, 12, 50, 1000.0), a(6, 30, 50, 0.0)),
            [
                (220.376043060485, 8.423477845035825e-37),
                (1.0, 1.8086262066648542e-10),
                (5.0116144175073405, 5.397527455872106e-07),
            ],
        ),
        // Samples of one size.
        (
            (a(11, 50, 100, 20.0), a(12, 50, 100, 0.0)),
            [
                (2.6366512888459064, 0.009736756747619113),
                (0.22, 0.17858668181221732),
                (2.3749209470949753, 0.017552709019960137),
            ],
        ),
        // More than 10,000 values.
        (
            (a(7, 700, 1000, 25.0), a(8, 12_000, 1000, 0.0)),
            [
                (3.8119504857211886, 0.0001486326225415487),
                (0.07300000000000001, 0.0016507553967332722),
                (3.690832782672812, 0.00022352104849774251),
            ],
        ),
        (
            (a(9, 20, 1000, 500.0), a(10, 11_000, 1000, 0.0)),
            [
                (7.2309272198563805, 7.128454106663797e-07),
                (0.55, 3.2861970662280095e-06),
                (5.614025667399843, 1.976728733410382e-08),
            ],
        ),
        (
            (a(13, 300, 1000, 300.0), a(14, 10_500, 1000, 0.0)),
            [
                (16.909036430379363, 3.885499664944752e-46),
                (0.321047619047619, 2.819195720019381e-27),
                (14.303742597153898, 2.0735170724321835e-46),
            ],
        ),
    ];
    for (number, ((a, b), wanted)) in cases.into_iter().enumerate() {
        let large = a.len().max(b.len()) > 10_000;
        let found = [
            welch_t_test(&a, &b),
            ks_two_sample(&a, &b),
            rank_sum(&a, &b),
        ];
        let tolerances = [1e-9, if large { 0.01 } else { 2e-6 }, 1e-9];
        for ((found, (statistic, p)), tolerance) in found.into_iter().zip(wanted).zip(tolerances) {
            let what = format!("case {number}: {found:?}, not {statistic} and {p}");
            assert!(near(found.statistic, statistic, 1e-9), "{what}");
            assert!(near(found.p_value, p, tolerance), "{what}");
        }
        // The other way round only signs change.
        let turned = [
            welch_t_test(&b, &a),
            ks_two_sample(&b, &a),
            rank_sum(&b, &a),
        ];
        for (turned, found) in turned.into_iter().zip(found) {
            assert!(near(turned.statistic.abs(), found.statistic.abs(), 1e-9));
            assert!(near(turned.p_value, found.p_value, 1e-9));
        }
    }
}

#[test]
fn a_sample_does_not_differ_from_itself() {
    let sample = sample(3, 50, 20, 0.0);
    for result in [
        welch_t_test(&sample, &sample),
        ks_two_sample(&sample, &sample),
        rank_sum(&sample, &sample),
    ] {
        assert!(
            result.statistic == 0.0 && near(result.p_value, 1.0, 1e-12),
            "{result:?}"
        );
    }
}

#[test]
fn what_cannot_be_tested_is_not_a_number() {
    let some = [1.0, 2.0, 4.0];
    let bad = [1.0, f64::NAN, 2.0];
    for test in [welch_t_test, ks_two_sample, rank_sum] {
        for (a, b) in [
            (&some[..], &[][..]),
            (&[][..], &some[..]),
            (&some[..], &bad[..]),
        ] {
            let result = test(a, b);
            assert!(
                result.statistic.is_nan() && result.p_value.is_nan(),
                "{result:?}"
            );
        }
    }
    // One value has no variance.
    assert!(welch_t_test(&some, &some[..1]).p_value.is_nan());
    // No variance at all: as SciPy.
    let (ones, twos) = ([1.0; 4], [2.0; 5]);
    assert!(welch_t_test(&ones, &ones).p_value.is_nan());
    let apart = welch_t_test(&ones, &twos);
    assert!(apart.statistic == f64::NEG_INFINITY && apart.p_value == 0.0);
}

#[test]
fn exact_and_approximate_p_values_meet() {
    // 10,000 values each is the largest exact case, one more the smallest approximate one.
    for shift in [5.0, 15.0, 30.0] {
        let (a, mut b) = (sample(1, 10_000, 1000, shift), sample(2, 10_000, 1000, 0.0));
        let exact = ks_two_sample(&a, &b);
        b.push(500.0);
        let approximate = ks_two_sample(&a, &b);
        assert!(
            near(approximate.p_value, exact.p_value, 0.1),
            "{exact:?}, {approximate:?}"
        );
    }
}
