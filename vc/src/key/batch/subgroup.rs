//! Whether points lie in the group of prime order, for a third of what a multiplication by the
//! order costs: one square root and one power in the field for each.
//!
//! The curve E has a group of eight times the prime order; its points of small order are the multiples
//! of one point of order eight. A point P is in the group of prime order exactly if it is eight times
//! a point. Pornin's test ("Point-Halving and Subgroup Membership in Twisted Edwards Curves", 2022)
//! halves it twice and looks whether it can be halved again: four roots and a Legendre symbol. Half of one
//! halving and one pairing do the same:
//!
//! 1. Doubling goes through another curve, E': v^2 = u (u - 4a) (u - 4d), with a = -1, as two maps of
//!    degree two, E to E' and E' back to E. If P comes from a point Q of E' then 1 - y^2 is a square;
//!    otherwise P is not even twice a point. Its root gives Q. (Two points lead to P; they differ by
//!    (0, 0), and which of them is found does not matter below.)
//! 2. E' has, beside the prime order, a point t of order four, the image of the point of order eight,
//!    and s = (0, 0). Four times E goes to the group of prime order of E'. So P is eight times a point
//!    exactly if Q is in the group of prime order, up to s: if there is no t in it.
//! 3. The Tate pairing with a point T of order four, the fourth-power class of f(Q) for a function f
//!    with a fourfold zero in T and a fourfold pole at infinity, is a homomorphism that tells the
//!    classes of t apart. With 2T = (4a, 0), f is (v - m (u - 4a))^2 / (u - 4a), and m is the slope
//!    of the tangent in T: 2 (i + sigma) or 2 (i - sigma), with sigma^2 = a - d. The one that is not a
//!    square is that of the T whose pairing with s is trivial.
//!
//! What [`is_of_prime_order`] computes is f(Q), written in the coordinates of P without a division and
//! multiplied by fourth powers. Where it is zero, Q has order four or less, so P has small order.
//!
//! Since the outcome is a homomorphism, a test that has it right for points of the group of prime order
//! and for all eight points of small order has it right for their sums, which are all points; tests
//! compare it with the multiplication by the order.

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::EdwardsPoint;

use super::field::{Element, SQRT_MINUS_ONE};

/// A square root sigma of a - d.
const SIGMA: Element = Element::from_limbs([
    0x0000_095F_B684_D1D2,
    0x0006_7C90_F568_502D,
    0x0000_28B8_0941_89C7,
    0x0003_A9F8_6181_9B67,
    0x0004_896C_E40D_47CB,
]);

/// Half of the slope m: i - sigma or i + sigma, the one that is a square (and twice it is none, as 2 is none).
const HALF_SLOPE: Element = Element::from_limbs([
    0x0006_11C7_9389_CECB,
    0x0002_5915_0726_C870,
    0x0007_C6A6_937B_8298,
    0x0003_DB9D_44FE_B137,
    0x0006_2EC5_63F7_B452,
]);

/// Whether all points lie in the group of prime order.
pub(super) fn are_of_prime_order(points: &[EdwardsPoint]) -> bool {
    // The x of a point is not to be had, but with a point (i, 0) added, (x, y) becomes (i y, i x), or
    // the negatives of these. A point is in the group exactly if its negative is, so signs do not count.
    let [_, _, quarter, ..] = EIGHT_TORSION;
    let turned = points.iter().map(|point| point + quarter);
    let all: Vec<EdwardsPoint> = points.iter().copied().chain(turned).collect();
    let encoded = EdwardsPoint::compress_batch_alloc(&all);
    let (plain, turned) = encoded.split_at(points.len());
    plain.iter().zip(turned).all(|(plain, turned)| {
        let y = Element::from_bytes(plain.as_bytes());
        let x = Element::from_bytes(turned.as_bytes()) * SQRT_MINUS_ONE;
        is_of_prime_order(x, y)
    })
}

/// See the module's text. Only the point (0, 1) has y = 1.
fn is_of_prime_order(x: Element, y: Element) -> bool {
    if y == Element::ONE {
        return true;
    }
    let Some(root) = (Element::ONE - y.square()).square_root() else {
        return false;
    };
    let below = Element::ONE - y;
    let d = x * below;
    // u - 4a of Q is 4 sigma k / d.
    let k = SIGMA * x * y - root;
    // v - m (u - 4a) of Q is 8 sigma n / (d (1 - y)).
    let n = root * (SIGMA * k - d) - HALF_SLOPE * k * below;
    let kd = k * d;
    (SIGMA * (n * below).square() * kd.square() * kd).is_fourth_power()
}
