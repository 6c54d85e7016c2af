//! The server shell that every listener of the node has: sockets, limits, and the guard before the
//! resources. The resources themselves are elsewhere.
//!
//! A request passes, from the outside in:
//! 1. [`server`]: how many connections there may be;
//! 2. `wire`: the bytes of the request's head, judged strictly before the HTTP library sees them;
//! 3. [`server`]: time, size of the body, requests in flight, and a net under panics;
//! 4. [`guard`]: who is addressed, from which page, how often, and with which token;
//! 5. the resource, whose body comes through [`strict_json`].
//!
//! Whatever goes wrong on the way is answered with a [`problem`] document.

mod body;
pub mod guard;
pub mod limits;
pub mod problem;
pub mod server;
pub mod strict_form;
pub mod strict_json;
mod wire;
