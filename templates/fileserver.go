package templates

import "github.com/minispin/minispin/guests"

// fileServer returns the component that serves files, and a first file for it. The
// component is part of this program, so that there is nothing to build or download.
func fileServer(v *view) ([]File, error) {
	wasm, err := guests.Load("rust-fileserver")
	if err != nil {
		return nil, err
	}
	index, err := v.render("static-fileserver/index.html")
	if err != nil {
		return nil, err
	}
	return []File{
		{Path: "static-fileserver.wasm", Data: wasm},
		{Path: v.values["files-path"] + "/index.html", Data: []byte(index), Sample: true},
	}, nil
}
