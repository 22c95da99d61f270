//! Makes an RSA key. `ring` signs and checks but makes none; everything after this file is `ring`'s.

use crypto_bigint::{NonZero, U1024, U2048};
use crypto_primes::{Flavor, random_prime};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;

use super::der;

const EXPONENT: u32 = 65_537;
const BITS: u32 = 2048;

/// A new key of 2048 bits, PKCS#8 in DER.
#[must_use]
pub fn private_key() -> Vec<u8> {
    loop {
        if let Some(key) = from_primes(prime(), prime()) {
            return key;
        }
    }
}

fn prime() -> U1024 {
    random_prime(&mut UnwrapErr(SysRng), Flavor::Any, BITS / 2)
}

/// The key of two primes; `None` when their product is too short or a number has no inverse: then others are drawn.
fn from_primes(one: U1024, other: U1024) -> Option<Vec<u8>> {
    let (p, q) = if one > other { (one, other) } else { (other, one) };
    let modulus: U2048 = p.concatenating_mul(&q);
    if p == q || modulus.bits() != BITS {
        return None;
    }
    let less = |prime: &U1024| prime.wrapping_sub(&U1024::ONE);
    let nonzero = |number: U1024| NonZero::new(number).into_option();
    let order: U2048 = less(&p).concatenating_mul(&less(&q));
    let exponent = U2048::from(EXPONENT);
    let private = exponent.invert_mod(&NonZero::new(order).into_option()?).into_option()?;
    let rest = |prime: &U1024| Some(private.rem_vartime(&nonzero(less(prime))?));
    let coefficient = q.invert_mod(&nonzero(p)?).into_option()?;
    Some(der::rsa_private(&[
        modulus.to_be_bytes().as_ref().to_vec(),
        EXPONENT.to_be_bytes().to_vec(),
        private.to_be_bytes().as_ref().to_vec(),
        p.to_be_bytes().as_ref().to_vec(),
        q.to_be_bytes().as_ref().to_vec(),
        rest(&p)?.to_be_bytes().as_ref().to_vec(),
        rest(&q)?.to_be_bytes().as_ref().to_vec(),
        coefficient.to_be_bytes().as_ref().to_vec(),
    ]))
}
