//! The few DER structures that RSA keys are written in (RFC 8017 A.1, RFC 5208).

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
/// `rsaEncryption` with its absent parameters.
const RSA: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// `RSAPublicKey`.
#[must_use]
pub fn rsa_public(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    sequence(&[integer(modulus), integer(exponent)])
}

/// `PrivateKeyInfo` around `RSAPrivateKey`; the eight numbers in their order from modulus to coefficient.
#[must_use]
pub fn rsa_private(numbers: &[Vec<u8>; 8]) -> Vec<u8> {
    let parts: Vec<Vec<u8>> = std::iter::once(integer(&[0]))
        .chain(numbers.iter().map(|number| integer(number)))
        .collect();
    sequence(&[integer(&[0]), RSA.to_vec(), element(OCTETS, &sequence(&parts))])
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    element(SEQUENCE, &parts.concat())
}

/// An unsigned number, without needless zeros, with one where the highest bit would make it negative.
fn integer(number: &[u8]) -> Vec<u8> {
    let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    let mut bytes = number[start..].to_vec();
    if bytes.first().is_none_or(|first| first & 0x80 != 0) {
        bytes.insert(0, 0);
    }
    element(INTEGER, &bytes)
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    let length = content.len().to_be_bytes();
    let start = length.iter().position(|byte| *byte != 0).unwrap_or(length.len() - 1);
    let length = &length[start..];
    match length {
        [short] if *short < 0x80 => bytes.push(*short),
        long => {
            // A length of a length is at most the eight bytes of a `usize`.
            bytes.push(0x80 | u8::try_from(long.len()).unwrap_or(8));
            bytes.extend_from_slice(long);
        }
    }
    bytes.extend_from_slice(content);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        assert_eq!(integer(&[0]), [2, 1, 0]);
        assert_eq!(integer(&[0, 0x7f]), [2, 1, 0x7f]);
        assert_eq!(integer(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(element(4, &[7; 200])[..4], [4, 0x81, 200, 7]);
        assert_eq!(element(4, &[7; 300])[..5], [4, 0x82, 1, 44, 7]);
    }
}
