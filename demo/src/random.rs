//! Random numbers that are the same on every machine, for ever: no crate whose next version may draw others.

use libm::{exp, log, round, sqrt};

/// A stream of random numbers (xoshiro256**, Blackman and Vigna 2018, seeded by their splitmix64).
#[derive(Debug, Clone)]
pub(crate) struct Random {
    state: [u64; 4],
}

impl Random {
    /// The stream of one purpose: another signal that draws numbers does not disturb those of the others.
    pub(crate) fn new(seed: u64, purpose: &str) -> Random {
        let mut state = seed ^ fnv1a(purpose.as_bytes());
        Random { state: std::array::from_fn(|_| splitmix64(&mut state)) }
    }

    fn next(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let drawn = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        drawn
    }

    /// Uniform in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in `[low, high)`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A whole number below `count`; 0 when there is none.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        (self.unit() * count as f64) as usize
    }

    /// One of the choices.
    pub(crate) fn choose<T: Copy>(&mut self, choices: &[T]) -> Option<T> {
        choices.get(self.below(choices.len())).copied()
    }

    /// Normally distributed with mean 0 and deviation 1 (Marsaglia's polar method).
    pub(crate) fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (self.between(-1.0, 1.0), self.between(-1.0, 1.0));
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                return x * sqrt(-2.0 * log(square) / square);
            }
        }
    }

    /// `amount` rounded up or down so that the mean of many is `amount`.
    pub(crate) fn whole(&mut self, amount: f64) -> u32 {
        (amount.max(0.0) + self.unit()) as u32
    }

    /// How many events happen when `mean` are expected (Poisson; normal above 30).
    pub(crate) fn events(&mut self, mean: f64) -> u32 {
        if mean > 30.0 {
            return round(mean + sqrt(mean) * self.normal()).max(0.0) as u32;
        }
        let enough = exp(-mean);
        let (mut events, mut product) = (0, self.unit());
        while product > enough {
            events += 1;
            product *= self.unit();
        }
        events
    }

    /// How many of `count` are hit when each is with the given chance (binomial; its Poisson or normal limit
    /// for many).
    pub(crate) fn hits(&mut self, count: u32, chance: f64) -> u32 {
        if chance > 0.5 {
            return count - self.hits(count, 1.0 - chance);
        }
        let mean = f64::from(count) * chance.max(0.0);
        if mean <= 0.0 {
            0
        } else if count <= 20 {
            (0..count).map(|_| u32::from(self.unit() < chance)).sum()
        } else if mean < 10.0 {
            self.events(mean).min(count)
        } else {
            let drawn = round(mean + sqrt(mean * (1.0 - chance)) * self.normal());
            drawn.clamp(0.0, f64::from(count)) as u32
        }
    }
}

/// FNV-1a of 64 bits.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| fnv1a_step(hash, *byte))
}

/// One more byte of FNV-1a.
pub(crate) fn fnv1a_step(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
}

fn splitmix64(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generators_draw_what_their_authors_published() {
        // Test vectors of the reference implementations at prng.di.unimi.it, as rand_xoshiro quotes them.
        let mut random = Random { state: [1, 2, 3, 4] };
        let drawn: Vec<u64> = (0..6).map(|_| random.next()).collect();
        let published = [
            11_520,
            0,
            1_509_978_240,
            1_215_971_899_390_074_240,
            1_216_172_134_540_287_360,
            607_988_272_756_665_600,
        ];
        assert_eq!(drawn, published);

        let mut state = 1_477_776_061_723_855_037;
        assert_eq!(splitmix64(&mut state), 1_985_237_415_132_408_290);
        assert_eq!(splitmix64(&mut state), 2_979_275_885_539_914_483);
        // From the FNV specification's table of test vectors.
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn draws_have_the_moments_of_their_distributions() {
        let mut random = Random::new(7, "moments");
        let count = 40_000;
        let moments = |draws: Vec<f64>| {
            let mean = draws.iter().sum::<f64>() / draws.len() as f64;
            (mean, draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / draws.len() as f64)
        };

        let cases: [(&str, Vec<f64>, f64, f64); 7] = [
            ("single", (0..count).map(|_| f64::from(random.hits(6, 0.1))).collect(), 0.6, 0.54),
            ("normal", (0..count).map(|_| random.normal()).collect(), 0.0, 1.0),
            ("few", (0..count).map(|_| f64::from(random.events(3.0))).collect(), 3.0, 3.0),
            ("many", (0..count).map(|_| f64::from(random.events(80.0))).collect(), 80.0, 80.0),
            // Binomial: mean n·p, variance n·p·(1 − p).
            ("half", (0..count).map(|_| f64::from(random.hits(200, 0.5))).collect(), 100.0, 50.0),
            ("rare", (0..count).map(|_| f64::from(random.hits(1000, 0.002))).collect(), 2.0, 1.996),
            ("usual", (0..count).map(|_| f64::from(random.hits(1000, 0.998))).collect(), 998.0, 1.996),
        ];
        for (name, draws, mean, variance) in cases {
            let (drawn_mean, drawn_variance) = moments(draws);
            // Four deviations of the mean of so many draws.
            assert!(
                (drawn_mean - mean).abs() < 4.0 * (variance / f64::from(count)).sqrt(),
                "{name} {drawn_mean}"
            );
            assert!((drawn_variance / variance - 1.0).abs() < 0.05, "{name} {drawn_variance}");
        }
    }

    #[test]
    fn streams_differ_by_seed_and_by_purpose() {
        let draw = |seed, purpose| Random::new(seed, purpose).next();

        assert_eq!(draw(1, "load"), draw(1, "load"));
        assert_ne!(draw(1, "load"), draw(2, "load"));
        assert_ne!(draw(1, "load"), draw(1, "memory"));
    }
}
