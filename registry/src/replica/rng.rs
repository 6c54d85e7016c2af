//! Pseudo-random numbers from a seed, for choices that must be replayable: which peer to ask, and
//! everything the simulator throws. Never for keys, challenges or anything secret.

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#[derive(Clone, Debug)]
pub(crate) struct Rng {
    state: u64,
}

impl Rng {
    /// A generator; equal seeds give equal numbers.
    #[must_use]
    pub(crate) const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next number.
    pub(crate) const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, or 0 if that is 0. The bias is below bound / 2^64.
    pub(crate) const fn below(&mut self, bound: u64) -> u64 {
        let wide = (self.next() as u128) * (bound as u128);
        (wide >> 64) as u64
    }

    /// True in `percent` of 100 cases.
    #[cfg(any(test, feature = "sim"))]
    pub(crate) const fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of the items, to be changed.
    #[cfg(feature = "sim")]
    pub(crate) fn pick_mut<'a, T>(&mut self, items: &'a mut [T]) -> Option<&'a mut T> {
        let at = self.below(items.len() as u64) as usize;
        items.get_mut(at)
    }

    /// One of the items, or `None` if there are none.
    #[cfg(any(test, feature = "sim"))]
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len() as u64) as usize)
    }
}
