package component

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/maphash"
	"strconv"
	"strings"
	"sync"

	"github.com/minispin/minispin/component/binary"
)

// This file has the engine's own validator judge components. It looks at every
// type, name and rule of subtyping, which the decoder and the linker do only as
// far as they rest on it. The sandbox does not rest on the verdict: it is there
// for early and clear messages.

// validate asks the engine's validator about a component, wasm, decoded as def.
// Its core modules are judged only by what is seen of them from outside.
//
// A component that uses forms newer than the engine, and one that unfolds to
// more than the engine should be burdened with, is not asked about. Neither is
// one that was found valid before, by this engine or, as the cache knows, by
// another: the engine compiles what joins the core modules in order to judge them,
// which takes 15 ms for a component of a compiled language and ten times that for
// one of an interpreted language, while making a skeleton and its hash takes a
// thirtieth of it.
func (e *Engine) validate(def *binary.Component, wasm []byte) error {
	if e.lenient || len(def.NewerForms) > 0 || !unfoldsLittle(def) {
		return nil
	}
	for _, d := range def.Defs {
		// The engine has no place for these either, and does not say which one it is.
		if imp, ok := d.(*binary.Import); ok && imp.Desc.Sort == binary.SortComponent {
			return at(d, fmt.Errorf("import %q: the outermost component cannot import a component, which nobody could supply", imp.Name.Name))
		}
	}
	seen := e.verdicts.key(wasm)
	if e.verdicts.valid(seen) {
		return nil
	}
	skeleton, err := binary.NewSkeleton(wasm)
	if err != nil {
		return fmt.Errorf("validate component: %w", err)
	}
	sum := sha256.Sum256(skeleton.Bytes)
	if e.cache != nil && e.cache.valid(sum) {
		e.verdicts.keep(seen)
		return nil
	}
	if err := e.core.ValidateComponent(skeleton.Bytes); err != nil {
		return errors.New(placed(err.Error(), skeleton))
	}
	e.verdicts.keep(seen)
	if e.cache != nil {
		// Not being able to keep the verdict costs the next start time, no more.
		_ = e.cache.keepValid(sum)
	}
	return nil
}

// Validate decodes wasm, a component in the binary format, and has the engine's
// own validator judge it, as Compile does, without compiling the code in it. It
// fails as Compile would. A core module, which Compile validates by compiling it,
// is only decoded.
//
// Binary.md and Explainer.md, the rules of validation throughout.
func (e *Engine) Validate(wasm []byte) error {
	if !binary.IsComponent(wasm) {
		if !binary.IsModule(wasm) {
			return notWasm(wasm)
		}
		_, err := binary.DecodeComponentTypes(wasm, binary.Limits{})
		return err
	}
	def, err := binary.Decode(wasm, binary.Limits{})
	if err != nil {
		return err
	}
	return e.validate(def, wasm)
}

// verdicts remembers which components an engine has found valid, for whoever
// compiles the same one again and again. As no more than the clarity of messages
// rests on a verdict, a fast hash with a seed of the process's own tells
// components apart.
type verdicts struct {
	seed maphash.Seed
	mu   sync.Mutex
	good map[verdictKey]struct{}
}

type verdictKey struct {
	hash   uint64
	length int
}

// maxVerdicts is how many verdicts are remembered.
const maxVerdicts = 1000

func newVerdicts() verdicts {
	return verdicts{seed: maphash.MakeSeed(), good: map[verdictKey]struct{}{}}
}

func (v *verdicts) key(wasm []byte) verdictKey {
	return verdictKey{maphash.Bytes(v.seed, wasm), len(wasm)}
}

func (v *verdicts) valid(k verdictKey) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, ok := v.good[k]
	return ok
}

func (v *verdicts) keep(k verdictKey) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.good) == maxVerdicts {
		clear(v.good) // rather than to keep account of which are in use
	}
	v.good[k] = struct{}{}
}

// placed puts the offset of the component's own bytes into a message of the
// validator, which knows those of the skeleton only; in a core module there is
// none. What the engine says of any message does not help and is left out.
func placed(message string, s *binary.Skeleton) string {
	message = strings.Replace(message, "failed to parse WebAssembly module: ", "", 1)
	const mark = " (at offset 0x"
	text, rest, ok := strings.Cut(message, mark)
	digits, tail, closed := strings.Cut(rest, ")")
	offset, err := strconv.ParseInt(digits, 16, 64)
	if !ok || !closed || err != nil {
		return message
	}
	if origin, ok := s.Origin(int(offset)); ok {
		return fmt.Sprintf("%s%s%x)%s", text, mark, origin, tail)
	}
	return text + tail
}

// The engine runs all instantiations of nested components in the abstract, as
// linking does, but without a bound: forty components that each instantiate the
// last one twice would keep it busy for days.
const (
	maxValidateWork  = 100_000 // definitions run
	maxValidateBlind = 8       // instantiations, where it is not known of what
)

// unfoldsLittle reports whether running a component with everything that is
// instantiated in it takes little work.
func unfoldsLittle(def *binary.Component) bool {
	u := &unfolding{work: map[*binary.Component]int{}}
	if u.component(def, nil) > maxValidateWork {
		return false
	}
	// So few instantiations can run no definition more than twenty times.
	return !u.blind || u.instantiations <= maxValidateBlind && u.definitions <= maxValidateWork/20
}

// unfolding adds up the work of running components.
type unfolding struct {
	work           map[*binary.Component]int // of each component that was read
	definitions    int                       // in all components
	instantiations int                       // those that instantiate
	blind          bool                      // something that is not known is instantiated
}

// unfoldScope is the index space of components inside of one; nil stands for
// components that are not known before linking.
type unfoldScope struct {
	outer      *unfoldScope
	components []*binary.Component
}

// component returns the work of running c once.
func (u *unfolding) component(c *binary.Component, outer *unfoldScope) int {
	s := &unfoldScope{outer: outer}
	work := len(c.Defs)
	u.definitions += len(c.Defs)
	for _, d := range c.Defs {
		switch d := d.(type) {
		case *binary.NestedComponent:
			u.work[d.Component] = u.component(d.Component, s)
			s.components = append(s.components, d.Component)
		case *binary.Instantiate:
			u.instantiations++
			if inner := s.at(0, d.Component); inner != nil {
				work += u.work[inner]
			} else {
				u.blind = true
			}
		case *binary.AliasOuter:
			if d.Sort == binary.SortComponent {
				s.components = append(s.components, s.at(d.Count, d.Index))
			}
		case *binary.Export:
			if d.Sort == binary.SortComponent {
				s.components = append(s.components, s.at(0, d.Index))
			}
		default:
			if sort, _ := d.Adds(); sort == binary.SortComponent {
				s.components = append(s.components, nil) // an import, or another instance's
			}
		}
		work = min(work, maxValidateWork+1) // no more needs to be known of too much
	}
	return work
}

// at returns the component of an index, count scopes out.
func (s *unfoldScope) at(count, index uint32) *binary.Component {
	for ; count > 0 && s != nil; count-- {
		s = s.outer
	}
	if s == nil || uint64(index) >= uint64(len(s.components)) {
		return nil
	}
	return s.components[index]
}
