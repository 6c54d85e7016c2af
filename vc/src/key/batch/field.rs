//! The field that the curve is over, as far as the subgroup test needs it: whole numbers modulo
//! 2^255 - 19, by the formally verified arithmetic of `fiat-crypto` (`curve25519-dalek` keeps its own
//! to itself). Nothing here takes the same time for all values: there are no secrets.

use std::ops::{Add, Mul, Sub};

use fiat_crypto::curve25519_64 as fiat;
use fiat_crypto::curve25519_64::{fiat_25519_loose_field_element as Loose, fiat_25519_tight_field_element as Tight};

/// A number modulo 2^255 - 19.
#[derive(Clone, Copy)]
pub(super) struct Element(Tight);

impl Element {
    pub(super) const ONE: Self = Self::from_limbs([1, 0, 0, 0, 0]);

    /// From five limbs of 51 bits, the lowest first.
    pub(super) const fn from_limbs(limbs: [u64; 5]) -> Self {
        Self(Tight(limbs))
    }

    /// From 255 bits, the lowest byte first; the highest bit is left out.
    pub(super) fn from_bytes(bytes: &[u8; 32]) -> Self {
        let [low @ .., high] = bytes;
        let mut clear = [0; 32];
        let [low_of_clear @ .., high_of_clear] = &mut clear;
        low_of_clear.copy_from_slice(low);
        *high_of_clear = high & 0x7F;
        let mut element = Tight([0; 5]);
        fiat::fiat_25519_from_bytes(&mut element, &clear);
        Self(element)
    }

    fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        fiat::fiat_25519_to_bytes(&mut bytes, &self.0);
        bytes
    }

    fn loose(self) -> Loose {
        let mut loose = Loose([0; 5]);
        fiat::fiat_25519_relax(&mut loose, &self.0);
        loose
    }

    fn tight(loose: &Loose) -> Self {
        let mut element = Tight([0; 5]);
        fiat::fiat_25519_carry(&mut element, loose);
        Self(element)
    }

    pub(super) fn square(self) -> Self {
        let mut square = Tight([0; 5]);
        fiat::fiat_25519_carry_square(&mut square, &self.loose());
        Self(square)
    }

    /// Squared so many times.
    fn squared(self, times: u32) -> Self {
        (0..times).fold(self, |element, _| element.square())
    }

    /// To the power of 2^250 - 1, where the powers that are needed start.
    fn power_250(self) -> Self {
        let two = self.square() * self;
        let five = (two.squared(2) * two).square() * self;
        let ten = five.squared(5) * five;
        let twenty_five = (ten.squared(10) * ten).squared(5) * five;
        let fifty = twenty_five.squared(25) * twenty_five;
        let hundred_twenty_five = (fifty.squared(50) * fifty).squared(25) * twenty_five;
        hundred_twenty_five.squared(125) * hundred_twenty_five
    }

    /// One of the two square roots; `None` if there is none.
    pub(super) fn square_root(self) -> Option<Self> {
        // The power of (p + 3) / 8 = 2^252 - 2 is a root of the number or of its negative.
        let root = self.power_250().squared(2) * self.square();
        let square = root.square();
        if square == self {
            Some(root)
        } else if square + self == Self::from_limbs([0; 5]) {
            Some(root * SQRT_MINUS_ONE)
        } else {
            None
        }
    }

    /// Whether it is the fourth power of a number other than zero.
    pub(super) fn is_fourth_power(self) -> bool {
        // The power of (p - 1) / 4 = 2^253 - 5 is one for these only.
        self.power_250().squared(3) * self.square() * self == Self::ONE
    }
}

/// A square root of -1.
pub(super) const SQRT_MINUS_ONE: Element = Element::from_limbs([
    0x0006_1B27_4A0E_A0B0,
    0x0000_D5A5_FC8F_189D,
    0x0007_EF5E_9CBD_0C60,
    0x0007_8595_A680_4C9E,
    0x0002_B832_4804_FC1D,
]);

impl PartialEq for Element {
    fn eq(&self, other: &Self) -> bool {
        self.to_bytes() == other.to_bytes()
    }
}

impl Mul for Element {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let mut product = Tight([0; 5]);
        fiat::fiat_25519_carry_mul(&mut product, &self.loose(), &other.loose());
        Self(product)
    }
}

impl Add for Element {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let mut sum = Loose([0; 5]);
        fiat::fiat_25519_add(&mut sum, &self.0, &other.0);
        Self::tight(&sum)
    }
}

impl Sub for Element {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        let mut difference = Loose([0; 5]);
        fiat::fiat_25519_sub(&mut difference, &self.0, &other.0);
        Self::tight(&difference)
    }
}
