//! Random documents that are the same in every run.

/// SplitMix64.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// From a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.bits() % u64::try_from(end).unwrap()).unwrap()
    }

    /// One of them.
    pub(crate) fn one_of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }

    /// A string of up to `longest` characters: plain ones, such as must be escaped, and from every plane of Unicode.
    pub(crate) fn text(&mut self, longest: usize) -> String {
        let length = self.below(longest + 1);
        (0..length).map(|_| self.character()).collect()
    }

    fn character(&mut self) -> char {
        let (from, to) = [
            (0x20, 0x7F),
            (0x20, 0x7F),
            (0x00, 0x20),
            (0x7F, 0x250),
            (0x300, 0x370),
            (0x590, 0x600),
            (0x2000, 0x2070),
            (0xD700, 0xD800),
            (0xE000, 0xE010),
            (0xFB00, 0x1_0000),
            (0x1_F300, 0x1_F700),
            (0x10_FFF0, 0x11_0000),
        ][self.below(12)];
        let span = usize::try_from(to - from).unwrap();
        char::from_u32(from + u32::try_from(self.below(span)).unwrap()).unwrap_or('\u{FFFD}')
    }
}
