package preview1

// rights are what a descriptor may be used for, preview 1 type rights.
//
// Later hosts have done away with them, so they are kept out of the way here:
// whatever is opened has all that its kind can have and its directory passes on,
// but for reading and writing, which have to be asked for. What a guest gives up
// by fd_fdstat_set_rights is gone from that descriptor and, if it no longer
// passes it on, from all that is opened beneath it. Whether a mount may be
// written to is no right: the answer to that is EROFS.
type rights uint64

const (
	rightDatasync rights = 1 << iota
	rightRead
	rightSeek
	rightSetFlags
	rightSync
	rightTell
	rightWrite
	rightAdvise
	rightAllocate
	rightCreateDirectory
	rightCreateFile
	rightLinkSource
	rightLinkTarget
	rightOpen
	rightReaddir
	rightReadlink
	rightRenameSource
	rightRenameTarget
	rightPathStat
	rightPathSetSize
	rightPathSetTimes
	rightStat
	rightSetSize
	rightSetTimes
	rightSymlink
	rightRemoveDirectory
	rightUnlink
	rightPoll
)

// The rights of each kind of descriptor.
const (
	inputRights  = rightRead | rightPoll
	outputRights = rightWrite | rightPoll

	// fileRights are those of every file; the next two come with being open for
	// reading and for writing.
	fileRights  = rightSeek | rightSetFlags | rightSync | rightTell | rightAdvise | rightStat | rightSetTimes | rightPoll
	readRights  = rightRead
	writeRights = rightWrite | rightDatasync | rightAllocate | rightSetSize

	directoryRights = rightDatasync | rightSync | rightSetFlags | rightStat | rightSetTimes | rightReaddir |
		rightCreateDirectory | rightCreateFile | rightLinkSource | rightLinkTarget | rightOpen | rightReadlink |
		rightRenameSource | rightRenameTarget | rightPathStat | rightPathSetSize | rightPathSetTimes |
		rightSymlink | rightRemoveDirectory | rightUnlink
	// inheritingRights are all that a directory can pass on.
	inheritingRights = directoryRights | fileRights | readRights | writeRights
)
