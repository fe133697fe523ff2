//! What must be asked before a decision on a case: nothing, so far. What a decision rests on comes with the matter's
//! events. To add something: a field in the aggregate's `Facts`, and `gather` here.

use chassis::facts::Informed;

use crate::case::Case;

impl Informed for Case {}
