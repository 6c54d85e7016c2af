//! What an action is for.

use std::fmt;

use super::bounded;
use crate::denial::Reason;
use crate::json::Value;
use crate::json::members::Members;

macro_rules! purposes {
    ($($name:ident $label:literal $meaning:literal)*) => {
        /// What an action is for: a closed list, so that every verifier reads a label the same way.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum PurposeOfUse {
            $(#[doc = $meaning] $name,)*
        }

        impl PurposeOfUse {
            /// Every purpose.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The label in documents.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $label),* }
            }
        }
    };
}

purposes! {
    Treatment "treatment" "To treat a patient (HL7 `TREAT`)."
    EmergencyTreatment "emergency-treatment" "To treat a patient in an emergency (HL7 `ETREAT`)."
    Payment "payment" "To pay or be paid for care (HL7 `HPAYMT`)."
    Operations "operations" "To run the organization (HL7 `HOPERAT`)."
    PatientRequest "patient-request" "Because the patient asks for it (HL7 `PATRQT`)."
    PublicHealth "public-health" "For public health (HL7 `PUBHLTH`)."
    Research "research" "For research (HL7 `HRESCH`)."
    Legal "legal" "Because the law demands it (HL7 `HLEGAL`; GDPR Article 6(1)(c))."
    FraudDetection "fraud-detection" "To find fraud (HL7 `FRAUD`)."
    Marketing "marketing" "For marketing (HL7 `HMARKT`)."
    CustomerSupport "customer-support" "To answer a customer (GDPR Article 6(1)(b))."
    Security "security" "To keep systems and people safe (GDPR Article 6(1)(f), recital 49)."
}

/// What is expected where a purpose stands.
pub(crate) const EXPECTED: &str = "a purpose of use of the closed list, such as treatment, payment or customer-support";

impl PurposeOfUse {
    /// The purpose with this label.
    #[must_use]
    pub fn parse(label: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.as_str() == label)
    }

    pub(super) fn read_list(members: &Members<'_, '_>) -> Result<Vec<Self>, Reason> {
        let items = members.array("allowed")?;
        bounded(members, "allowed", items.len(), Self::ALL.len())?;
        items
            .iter()
            .enumerate()
            .map(|(index, item)| {
                item.as_str()
                    .and_then(Self::parse)
                    .ok_or_else(|| members.at("allowed").item(index).error(EXPECTED).into())
            })
            .collect()
    }
}

impl fmt::Display for PurposeOfUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Some purposes in a message.
pub(super) struct Purposes<'a>(pub(super) &'a [PurposeOfUse]);

impl fmt::Display for Purposes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, purpose) in self.0.iter().enumerate() {
            let between = if index > 0 { " or " } else { "" };
            write!(f, "{between}{purpose}")?;
        }
        Ok(())
    }
}

impl Purposes<'_> {
    pub(super) fn to_json(&self) -> Value {
        self.0.iter().map(|one| one.as_str()).collect()
    }
}
