package bench

import (
	"bufio"
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
)

// Machine is where a report was made.
type Machine struct {
	OS         string `json:"os"`
	Arch       string `json:"arch"`
	CPU        string `json:"cpu,omitempty"` // the model's name
	CPUs       int    `json:"cpus"`
	GOMAXPROCS int    `json:"gomaxprocs"`
	Go         string `json:"go"`
	Engine     string `json:"engine,omitempty"` // the version of wasmtime-go
}

// ThisMachine describes the machine and the program.
func ThisMachine() Machine {
	m := Machine{
		OS: runtime.GOOS, Arch: runtime.GOARCH, CPU: processor(),
		CPUs: runtime.NumCPU(), GOMAXPROCS: runtime.GOMAXPROCS(0), Go: runtime.Version(),
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if strings.HasPrefix(d.Path, "github.com/bytecodealliance/wasmtime-go/") {
				m.Engine = d.Version
			}
		}
	}
	return m
}

// processor returns the name of the processor's model, if Linux tells it.
func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	return field(info, "model name")
}

// privateMemory returns how many bytes of memory the process has to itself: what
// it has written to, and shares with no file and no other process. The kernel's
// cheaper counters are off by up to some hundred KiB, so that they would not do.
func privateMemory() (bytes int64, ok bool) {
	rollup, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		return 0, false
	}
	kib, err := strconv.ParseInt(strings.TrimSuffix(field(rollup, "Anonymous"), " kB"), 10, 64)
	return kib << 10, err == nil
}

// field returns the value of the first line of a file in /proc with that name.
func field(file []byte, name string) string {
	for s := bufio.NewScanner(bytes.NewReader(file)); s.Scan(); {
		if k, v, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
