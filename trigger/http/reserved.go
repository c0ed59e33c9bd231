package httptrigger

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
)

// answer sends a response that consists of a status.
func answer(w http.ResponseWriter, status int) {
	w.Header()["Content-Type"] = nil // an empty entry keeps net/http from guessing one
	w.WriteHeader(status)
}

// serveReserved answers the host's own paths; name is what follows their prefix.
func (h *Handler) serveReserved(w http.ResponseWriter, name string) {
	switch name {
	case "health":
		answerHealth(w)
	case "info":
		w.Header().Set("Content-Type", "application/json")
		respond(w, h.info)
	default:
		answer(w, http.StatusNotFound)
	}
}

// answerHealth says that the process serves.
func answerHealth(w http.ResponseWriter) {
	w.Header()["Content-Type"] = nil
	respond(w, []byte("OK"))
}

func respond(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	// A failure means that the client is gone; nobody is left to tell.
	_, _ = w.Write(body)
}

// appInfo returns the answer to a question for the application's identity.
func appInfo(app App) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(struct {
		Name    string `json:"name"`
		Version string `json:"version,omitempty"`
		Digest  string `json:"oci_image_digest,omitempty"`
	}{app.Name, app.Version, app.ImageDigest})
	if err != nil {
		panic(err) // three strings can always be encoded
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
