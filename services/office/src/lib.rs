//! What every office knows: actors, roles, units, the calendar and the policy profile. Pure.
