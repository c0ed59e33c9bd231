package wit

import "slices"

// Items gives all imports and exports of the world: its own, and those of the
// worlds it includes under the names it gives them. An interface that comes
// from several sides is there once. The slices must not be changed.
func (w *World) Items() (imports, exports []*WorldItem) { return w.allImports, w.allExports }

// AllImports gives what a component of the world imports in the end: the
// imports that Items gives, and every interface that those, the exports or the
// world itself use types of. An export that uses another export's types needs
// no import for that.
func (w *World) AllImports() []*WorldItem {
	imports, exports := w.Items()
	all := slices.Clone(imports)
	known := map[*Interface]bool{}
	for _, it := range imports {
		known[it.Interface] = true
	}
	exported := map[*Interface]bool{}
	for _, it := range exports {
		exported[it.Interface] = true
	}
	var follow func(uses []*Use, fromExport bool)
	follow = func(uses []*Use, fromExport bool) {
		for _, u := range uses {
			if known[u.From] || fromExport && exported[u.From] {
				continue
			}
			known[u.From] = true
			all = append(all, &WorldItem{Pos: u.Pos, Name: u.From.ID(), Interface: u.From})
			follow(u.From.Uses, false)
		}
	}
	for _, it := range imports {
		if it.Interface != nil {
			follow(it.Interface.Uses, false)
		}
	}
	for _, it := range exports {
		if it.Interface != nil {
			follow(it.Interface.Uses, true)
		}
	}
	for _, x := range w.closure() {
		follow(x.Uses, false)
	}
	return all
}

// closure gives the world and all worlds it includes, at any remove.
func (w *World) closure() []*World {
	worlds := []*World{w}
	for n := 0; n < len(worlds); n++ {
		for _, in := range worlds[n].Includes {
			if !slices.Contains(worlds, in.World) {
				worlds = append(worlds, in.World)
			}
		}
	}
	return worlds
}

// gather computes what Items gives, once, when the included worlds have theirs.
func (w *World) gather() {
	w.allImports = append(w.allImports, w.Imports...)
	w.allExports = append(w.allExports, w.Exports...)
	for _, in := range w.Includes {
		imports, exports := in.World.Items()
		w.allImports = in.merge(w.allImports, imports)
		w.allExports = in.merge(w.allExports, exports)
	}
}

func (in *Include) merge(into, from []*WorldItem) []*WorldItem {
next:
	for _, it := range from {
		for _, r := range in.Renames {
			if it.Name == r.From {
				renamed := *it
				renamed.Name = r.To
				it = &renamed
				break
			}
		}
		for _, have := range into {
			if have.Name == it.Name && have.Interface == it.Interface && have.Func == it.Func {
				continue next
			}
		}
		into = append(into, it)
	}
	return into
}

// includes finds worlds that include themselves and renamings of nothing, and
// names that two included worlds both use for different things.
func (r *resolver) includes(w *World) {
	if r.visits[w] != fresh {
		return
	}
	r.visits[w] = entered
	for _, in := range w.Includes {
		if r.visits[in.World] == entered {
			r.errorf(in.Pos, "worlds include each other in a circle: %s leads back to %s", w.ID(), in.World.ID())
			continue
		}
		r.includes(in.World)
		imports, exports := in.World.Items()
		for _, name := range in.Renames {
			if !named(imports, name.From) && !named(exports, name.From) {
				r.errorf(name.Pos, "world %s has nothing named %s to rename", in.World.ID(), name.From)
			}
		}
	}
	r.visits[w] = left

	w.gather()
	imports, exports := w.Items()
	for _, items := range [][]*WorldItem{imports, exports} {
		seen := scope{}
		for _, it := range items {
			if _, ok := seen.find(it.Name); ok {
				r.errorf(w.Pos, "world %s would have two items named %s: rename one where it is included", w.ID(), it.Name)
			}
			seen.put(it.Name, entry{pos: it.Pos})
		}
	}
}

func named(items []*WorldItem, name string) bool {
	for _, it := range items {
		if it.Name == name {
			return true
		}
	}
	return false
}
