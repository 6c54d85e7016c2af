//! The ways to make a proof.

use crate::key::KeyKind;

/// A way to turn a document into bytes, and the kinds of keys that sign these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suite {
    /// `eddsa-jcs-2022`: Ed25519 over canonical JSON (Data Integrity EdDSA Cryptosuites 1.0, 3.3).
    #[default]
    EddsaJcs2022,
    /// `eddsa-rdfc-2022`: Ed25519 over canonical RDF (the same, 3.2).
    EddsaRdfc2022,
    /// `ecdsa-jcs-2019`: P-256 or P-384 over canonical JSON (Data Integrity ECDSA Cryptosuites
    /// 1.0, 3.3).
    EcdsaJcs2019,
    /// `ecdsa-rdfc-2019`: P-256 or P-384 over canonical RDF (the same, 3.2).
    EcdsaRdfc2019,
    /// `Ed25519Signature2020`, a proof type of its own and the forerunner of `eddsa-rdfc-2022`
    /// (Data Integrity EdDSA Cryptosuites 1.0, 3.4). Verified, and not made any more.
    Ed25519Signature2020,
}

impl Suite {
    /// All suites.
    pub const ALL: [Self; 5] = [
        Self::EddsaJcs2022,
        Self::EddsaRdfc2022,
        Self::EcdsaJcs2019,
        Self::EcdsaRdfc2019,
        Self::Ed25519Signature2020,
    ];

    /// The name in a proof: the `cryptosuite`, or the `type` of `Ed25519Signature2020`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EddsaJcs2022 => "eddsa-jcs-2022",
            Self::EddsaRdfc2022 => "eddsa-rdfc-2022",
            Self::EcdsaJcs2019 => "ecdsa-jcs-2019",
            Self::EcdsaRdfc2019 => "ecdsa-rdfc-2019",
            Self::Ed25519Signature2020 => "Ed25519Signature2020",
        }
    }

    /// The suite of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.as_str() == name)
    }

    /// Whether a key of this kind signs in this suite.
    #[must_use]
    pub const fn takes(self, kind: KeyKind) -> bool {
        match self {
            Self::EddsaJcs2022 | Self::EddsaRdfc2022 | Self::Ed25519Signature2020 => matches!(kind, KeyKind::Ed25519),
            Self::EcdsaJcs2019 | Self::EcdsaRdfc2019 => matches!(kind, KeyKind::P256 | KeyKind::P384),
        }
    }

    /// The keys of this suite, for people.
    #[must_use]
    pub const fn keys(self) -> &'static str {
        match self {
            Self::EddsaJcs2022 | Self::EddsaRdfc2022 | Self::Ed25519Signature2020 => "Ed25519",
            Self::EcdsaJcs2019 | Self::EcdsaRdfc2019 => "P-256 or P-384",
        }
    }

    /// Whether proofs of this suite are made here, and not only verified.
    #[must_use]
    pub const fn signs(self) -> bool {
        !matches!(self, Self::Ed25519Signature2020)
    }

    /// Whether the document is signed as RDF: then its terms must be defined by its contexts.
    #[must_use]
    pub const fn is_linked_data(self) -> bool {
        matches!(
            self,
            Self::EddsaRdfc2022 | Self::EcdsaRdfc2019 | Self::Ed25519Signature2020
        )
    }
}
