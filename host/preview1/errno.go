package preview1

import (
	"errors"
	"fmt"

	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
	"github.com/minispin/minispin/wit/bindings/wasi/io/streams"
)

// Errno is an error number of preview 1, type errno; zero is success.
type Errno uint16

// The error numbers this host gives, by their names in preview 1.
const (
	success        Errno = 0
	errAcces       Errno = 2
	errAgain       Errno = 6
	errAlready     Errno = 7
	errBadf        Errno = 8
	errBusy        Errno = 10
	errDeadlk      Errno = 16
	errDquot       Errno = 19
	errExist       Errno = 20
	errFault       Errno = 21
	errFbig        Errno = 22
	errIlseq       Errno = 25
	errInprogress  Errno = 26
	errIntr        Errno = 27
	errInval       Errno = 28
	errIO          Errno = 29
	errIsdir       Errno = 31
	errLoop        Errno = 32
	errMfile       Errno = 33
	errMlink       Errno = 34
	errMsgsize     Errno = 35
	errNametoolong Errno = 37
	errNodev       Errno = 43
	errNoent       Errno = 44
	errNolck       Errno = 46
	errNomem       Errno = 48
	errNospc       Errno = 51
	errNotdir      Errno = 54
	errNotempty    Errno = 55
	errNotrecov    Errno = 56
	errNotsock     Errno = 57
	errNotsup      Errno = 58
	errNotty       Errno = 59
	errNxio        Errno = 60
	errOverflow    Errno = 61
	errPerm        Errno = 63
	errPipe        Errno = 64
	errRofs        Errno = 69
	errSpipe       Errno = 70
	errTxtbsy      Errno = 74
	errXdev        Errno = 75
	errNotcap      Errno = 76
)

var errnoNames = map[Errno]string{
	success: "success", errAcces: "acces", errAgain: "again", errAlready: "already", errBadf: "badf",
	errBusy: "busy", errDeadlk: "deadlk", errDquot: "dquot", errExist: "exist", errFault: "fault",
	errFbig: "fbig", errIlseq: "ilseq", errInprogress: "inprogress", errIntr: "intr", errInval: "inval",
	errIO: "io", errIsdir: "isdir", errLoop: "loop", errMfile: "mfile", errMlink: "mlink",
	errMsgsize: "msgsize", errNametoolong: "nametoolong", errNodev: "nodev", errNoent: "noent",
	errNolck: "nolck", errNomem: "nomem", errNospc: "nospc", errNotdir: "notdir", errNotempty: "notempty",
	errNotrecov: "notrecoverable", errNotsock: "notsock", errNotsup: "notsup", errNotty: "notty",
	errNxio: "nxio", errOverflow: "overflow", errPerm: "perm", errPipe: "pipe", errRofs: "rofs",
	errSpipe: "spipe", errTxtbsy: "txtbsy", errXdev: "xdev", errNotcap: "notcapable",
}

// Error returns the number's name in preview 1.
func (e Errno) Error() string {
	if name, ok := errnoNames[e]; ok {
		return name
	}
	return fmt.Sprintf("errno %d", uint16(e))
}

// streamErrno turns the error of a stream into an error number; what is none
// (the end of the request) stays as it is and traps.
func streamErrno(err error) error {
	e, ok := err.(streams.StreamError)
	switch {
	case !ok:
		return err
	case e.Case == streams.StreamErrorClosed:
		return errPipe
	}
	return errIO
}

// codes are the error numbers of the error codes that files give.
var codes = [...]Errno{
	types.ErrorCodeAccess:              errAcces,
	types.ErrorCodeWouldBlock:          errAgain,
	types.ErrorCodeAlready:             errAlready,
	types.ErrorCodeBadDescriptor:       errBadf,
	types.ErrorCodeBusy:                errBusy,
	types.ErrorCodeDeadlock:            errDeadlk,
	types.ErrorCodeQuota:               errDquot,
	types.ErrorCodeExist:               errExist,
	types.ErrorCodeFileTooLarge:        errFbig,
	types.ErrorCodeIllegalByteSequence: errIlseq,
	types.ErrorCodeInProgress:          errInprogress,
	types.ErrorCodeInterrupted:         errIntr,
	types.ErrorCodeInvalid:             errInval,
	types.ErrorCodeIO:                  errIO,
	types.ErrorCodeIsDirectory:         errIsdir,
	types.ErrorCodeLoop:                errLoop,
	types.ErrorCodeTooManyLinks:        errMlink,
	types.ErrorCodeMessageSize:         errMsgsize,
	types.ErrorCodeNameTooLong:         errNametoolong,
	types.ErrorCodeNoDevice:            errNodev,
	types.ErrorCodeNoEntry:             errNoent,
	types.ErrorCodeNoLock:              errNolck,
	types.ErrorCodeInsufficientMemory:  errNomem,
	types.ErrorCodeInsufficientSpace:   errNospc,
	types.ErrorCodeNotDirectory:        errNotdir,
	types.ErrorCodeNotEmpty:            errNotempty,
	types.ErrorCodeNotRecoverable:      errNotrecov,
	types.ErrorCodeUnsupported:         errNotsup,
	types.ErrorCodeNoTty:               errNotty,
	types.ErrorCodeNoSuchDevice:        errNxio,
	types.ErrorCodeOverflow:            errOverflow,
	types.ErrorCodeNotPermitted:        errPerm,
	types.ErrorCodePipe:                errPipe,
	types.ErrorCodeReadOnly:            errRofs,
	types.ErrorCodeInvalidSeek:         errSpipe,
	types.ErrorCodeTextFileBusy:        errTxtbsy,
	types.ErrorCodeCrossDevice:         errXdev,
}

// fileErrno turns the error of a handle of package files into an error number.
func fileErrno(err error) error {
	if err == nil {
		return nil
	}
	var c types.ErrorCode
	if errors.As(err, &c) && int(c) < len(codes) {
		return codes[c]
	}
	return errIO
}

// openErrno is fileErrno for a call that opens something: there the quota is
// that of open files.
func openErrno(err error) error {
	if err = fileErrno(err); err == errDquot {
		return errMfile
	}
	return err
}
