// Package wasirc offers the release candidate 0.2.0-rc-2023-11-10 of WASI, by
// the hosts of 0.2.
//
// The candidate differs from 0.2.0 in a few functions. So each of its interfaces
// is the one of 0.2 under the candidate's name, with the functions that differ
// put in place of its own: the resources are the same, and a value that one
// interface gives out is good in every other. The package knows of no host and
// changes none; what 0.2 denies is denied here.
//
// Functions that came later than the candidate are left in. An import cannot name
// what its own package never had.
package wasirc
