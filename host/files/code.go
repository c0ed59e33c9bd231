package files

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
)

var codes = map[syscall.Errno]types.ErrorCode{
	syscall.EACCES: types.ErrorCodeAccess, syscall.EAGAIN: types.ErrorCodeWouldBlock,
	syscall.EBADF: types.ErrorCodeBadDescriptor, syscall.EBUSY: types.ErrorCodeBusy,
	syscall.EDQUOT: types.ErrorCodeQuota, syscall.EEXIST: types.ErrorCodeExist,
	syscall.EFBIG: types.ErrorCodeFileTooLarge, syscall.EILSEQ: types.ErrorCodeIllegalByteSequence,
	syscall.EINTR: types.ErrorCodeInterrupted, syscall.EINVAL: types.ErrorCodeInvalid,
	syscall.EIO: types.ErrorCodeIO, syscall.EISDIR: types.ErrorCodeIsDirectory,
	syscall.ELOOP: types.ErrorCodeLoop, syscall.EMLINK: types.ErrorCodeTooManyLinks,
	syscall.ENAMETOOLONG: types.ErrorCodeNameTooLong, syscall.ENODEV: types.ErrorCodeNoDevice,
	syscall.ENOENT: types.ErrorCodeNoEntry, syscall.ENOMEM: types.ErrorCodeInsufficientMemory,
	syscall.ENOSPC: types.ErrorCodeInsufficientSpace, syscall.ENOTDIR: types.ErrorCodeNotDirectory,
	syscall.ENOTEMPTY: types.ErrorCodeNotEmpty, syscall.ENOTSUP: types.ErrorCodeUnsupported,
	syscall.ENXIO: types.ErrorCodeNoSuchDevice, syscall.EOVERFLOW: types.ErrorCodeOverflow,
	syscall.EPERM: types.ErrorCodeNotPermitted, syscall.EROFS: types.ErrorCodeReadOnly,
	syscall.ESPIPE: types.ErrorCodeInvalidSeek, syscall.ETXTBSY: types.ErrorCodeTextFileBusy,
	syscall.EXDEV:  types.ErrorCodeCrossDevice,
	syscall.EMFILE: types.ErrorCodeQuota, syscall.ENFILE: types.ErrorCodeQuota,
}

// escapes is what os.Root says of a path that leads out; the package has no name
// for it.
const escapes = "path escapes from parent"

// code turns an error of package os into an error code.
func code(err error) error {
	if err == nil {
		return nil
	}
	var known types.ErrorCode
	if errors.As(err, &known) {
		return known
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		if c, ok := codes[errno]; ok {
			return c
		}
	}
	var at *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &at) && at.Err.Error() == escapes,
		errors.As(err, &link) && link.Err.Error() == escapes:
		return types.ErrorCodeNotPermitted
	case errors.Is(err, fs.ErrNotExist):
		return types.ErrorCodeNoEntry
	case errors.Is(err, fs.ErrExist):
		return types.ErrorCodeExist
	case errors.Is(err, fs.ErrPermission):
		return types.ErrorCodeAccess
	case errors.Is(err, fs.ErrInvalid):
		return types.ErrorCodeInvalid
	case errors.Is(err, errors.ErrUnsupported):
		return types.ErrorCodeUnsupported
	case errors.Is(err, os.ErrClosed):
		return types.ErrorCodeBadDescriptor
	}
	return types.ErrorCodeIO
}
