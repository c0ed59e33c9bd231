// Package wasirc offers two release candidates of WASI 0.2 by the hosts of 0.2:
// 0.2.0-rc-2023-11-10 and, with more that is different, 0.2.0-rc-2023-10-18.
//
// Each interface of a candidate is the one of 0.2 under the candidate's name, with
// the functions that differ put in place of its own: the resources are the same,
// and a value that one interface gives out is good in every other. The package
// changes no host; what 0.2 denies is denied here.
//
// Functions that came later than a candidate are left in. An import cannot name
// what its own package never had.
package wasirc
