//! What was acknowledged arrives.
