// Package instancepool decides how a handler's component is executed for each
// request: which engine its instances live in, what is made anew and what is
// kept, how many run at a time and who waits.
//
// A Pool is one component under one Strategy. Its Run hands a linked instance
// to the caller's function for the time of one request, and enforces admission
// in front (a bounded number of instances, a bounded queue) and the deadline
// around it. What the caller does with the instance is its own affair: the
// package knows components, not HTTP.
package instancepool
