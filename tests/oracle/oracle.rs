//! A home for the differential test in `tests/`; there is no code here.
