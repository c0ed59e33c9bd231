// Package variables gives an application's variables their values.
//
// It knows what a template is, where values come from and in which order sources
// are asked. It knows neither the manifest, whose declarations its user passes
// in, nor guests, for whom host/variables asks it.
//
// The central idea is that a value carries its secrecy with it. What a provider
// returns, and whatever a template makes of it, is a [Value]: printed, logged or
// encoded it shows a placeholder if a secret had part in it, and only
// [Value.Reveal] gives the text. Errors of this package name variables and
// sources, never values.
//
// Values are not kept: every question goes to the providers anew, so that one
// that changes outside is seen to change.
package variables
