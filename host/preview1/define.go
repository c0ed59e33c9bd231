package preview1

import (
	"fmt"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/host/files"
	"github.com/minispin/minispin/host/wasi"
)

// Module is the core module name that guests import from.
const Module = "wasi_snapshot_preview1"

// call is one call of a function: where it came from and its parameters.
type call struct {
	*component.Call
	st  []component.Raw
	ctx *wasi.Ctx
	fds *State
}

// u32 and u64 return parameter i.
func (c *call) u32(i int) uint32 { return c.st[i].U32() }
func (c *call) u64(i int) uint64 { return c.st[i].U64() }

// function is a function of the module: its parameters ('i' for i32, 'I' for
// i64), and what it does. All return an errno but proc_exit, which does
// not return.
type function struct {
	name   string
	params string
	do     func(*call) error
}

var functions = []function{
	{"args_get", "ii", argsGet},
	{"args_sizes_get", "ii", argsSizesGet},
	{"environ_get", "ii", environGet},
	{"environ_sizes_get", "ii", environSizesGet},
	{"clock_res_get", "ii", clockResGet},
	{"clock_time_get", "iIi", clockTimeGet},
	{"random_get", "ii", randomGet},
	{"proc_exit", "i", procExit},
	{"proc_raise", "i", notSupported},
	{"sched_yield", "", schedYield},
	{"poll_oneoff", "iiii", pollOneoff},

	{"fd_advise", "iIIi", onFile(rightAdvise, errSpipe, fdAdvise)},
	{"fd_allocate", "iII", onFile(rightAllocate, errSpipe, fdAllocate)},
	{"fd_close", "i", fdClose},
	{"fd_datasync", "i", fdSync(rightDatasync)},
	{"fd_fdstat_get", "ii", fdFdstatGet},
	{"fd_fdstat_set_flags", "ii", fdFdstatSetFlags},
	{"fd_fdstat_set_rights", "iII", fdFdstatSetRights},
	{"fd_filestat_get", "ii", fdFilestatGet},
	{"fd_filestat_set_size", "iI", onFile(rightSetSize, errInval, fdFilestatSetSize)},
	{"fd_filestat_set_times", "iIIi", fdFilestatSetTimes},
	{"fd_pread", "iiiIi", fdPread},
	{"fd_prestat_get", "ii", fdPrestatGet},
	{"fd_prestat_dir_name", "iii", fdPrestatDirName},
	{"fd_pwrite", "iiiIi", fdPwrite},
	{"fd_read", "iiii", fdRead},
	{"fd_readdir", "iiiIi", fdReaddir},
	{"fd_renumber", "ii", fdRenumber},
	{"fd_seek", "iIii", onFile(rightSeek, errSpipe, fdSeek)},
	{"fd_sync", "i", fdSync(rightSync)},
	{"fd_tell", "ii", onFile(rightTell, errSpipe, fdTell)},
	{"fd_write", "iiii", fdWrite},

	{"path_create_directory", "iii", onPath(rightCreateDirectory, (*files.Handle).CreateDirectory)},
	{"path_filestat_get", "iiiii", onLookup(rightPathStat, pathFilestatGet)},
	{"path_filestat_set_times", "iiiiIIi", onLookup(rightPathSetTimes, pathFilestatSetTimes)},
	{"path_link", "iiiiiii", pathLink},
	{"path_open", "iiiiiIIii", pathOpen},
	{"path_readlink", "iiiiii", pathReadlink},
	{"path_remove_directory", "iii", onPath(rightRemoveDirectory, (*files.Handle).RemoveDirectory)},
	{"path_rename", "iiiiii", pathRename},
	{"path_symlink", "iiiii", pathSymlink},
	{"path_unlink_file", "iii", onPath(rightUnlink, (*files.Handle).Unlink)},

	{"sock_accept", "iii", onDescriptor(errNotsock)},
	{"sock_recv", "iiiiii", onDescriptor(errNotsock)},
	{"sock_send", "iiiii", onDescriptor(errNotsock)},
	{"sock_shutdown", "ii", onDescriptor(errNotsock)},
}

// Define adds wasi_snapshot_preview1 to l. The instances' host values implement
// wasi.View.
func Define(l *component.Linker) error {
	core := &component.CoreInterface{Module: Module, Funcs: make([]component.CoreFunc, len(functions))}
	for i, f := range functions {
		core.Funcs[i] = f.core()
	}
	if err := l.DefineCore(core); err != nil {
		return fmt.Errorf("define WASI preview 1: %w", err)
	}
	return nil
}

func (f function) core() component.CoreFunc {
	params := make([]abi.CoreType, len(f.params))
	for i, p := range f.params {
		params[i] = abi.I32
		if p == 'I' {
			params[i] = abi.I64
		}
	}
	if f.name == "proc_exit" {
		return component.CoreFunc{Name: f.name, Params: params, Call: f.run}
	}
	return component.CoreFunc{
		Name: f.name, Params: params, Results: []abi.CoreType{abi.I32},
		Call: func(c *component.Call, st []component.Raw) error {
			err := f.run(c, st)
			errno, ok := err.(Errno)
			if err != nil && !ok {
				return fmt.Errorf("%s: %w", f.name, err)
			}
			st[0].SetU32(uint32(errno))
			return nil
		},
	}
}

func (f function) run(c *component.Call, st []component.Raw) error {
	ctx := wasi.Of(c)
	return f.do(&call{Call: c, st: st, ctx: ctx, fds: stateOf(ctx)})
}
