package main

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/minispin/minispin/runtimeconfig"
	"github.com/minispin/minispin/variables"
)

// variableFlags say where an application's variables get their values.
type variableFlags struct {
	RuntimeConfig string   `name:"runtime-config-file" env:"RUNTIME_CONFIG_FILE" placeholder:"FILE" help:"The runtime configuration: where variables come from, networks that are blocked, limits and certificates of outgoing requests."`
	Variable      []string `sep:"none" placeholder:"K=V" help:"The value of an application variable, over what the environment (SPIN_VARIABLE_NAME), .env and the manifest say. NAME=@FILE takes a file's text, @FILE.json or @FILE.toml all the variables in a file. May be repeated."`
}

// runtimeConfig reads the runtime configuration, which is empty if there is none.
func (f *variableFlags) runtimeConfig() (*runtimeconfig.Config, error) {
	if f.RuntimeConfig == "" {
		return &runtimeconfig.Config{}, nil
	}
	return runtimeconfig.Load(f.RuntimeConfig)
}

// files returns the files that the values for an application in dir come from, that
// of the runtime configuration among them, whether they exist or not.
func (f *variableFlags) files(dir string) []string {
	var files []string
	paths := append(variables.FlagFiles(f.Variable), ".env", filepath.Join(dir, ".env"))
	if f.RuntimeConfig != "" {
		paths = append(paths, f.RuntimeConfig)
	}
	for _, path := range paths {
		if absolute, err := filepath.Abs(path); err == nil && !slices.Contains(files, absolute) {
			files = append(files, absolute)
		}
	}
	return files
}

// providers returns the sources of values for an application in dir, the first
// to be asked first. Those of the runtime configuration come after the flags.
func (f *variableFlags) providers(dir string, configured ...variables.Provider) ([]variables.Provider, error) {
	given, err := variables.ParseFlags(f.Variable)
	if err != nil {
		return nil, fmt.Errorf("--variable: %w", err)
	}
	// Spin reads .env of the current directory only. That beside the manifest is
	// found too, whatever directory the command was started from.
	dotenv := []string{".env", filepath.Join(dir, ".env")}
	all := append([]variables.Provider{variables.Static("--variable", given)}, configured...)
	return append(all, variables.NewEnvironment(variables.EnvironmentPrefix, dotenv...)), nil
}
