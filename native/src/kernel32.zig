//! The functions of kernel32.dll that the launcher calls and std 0.15.2 does not declare.

const std = @import("std");
const windows = std.os.windows;

const BOOL = windows.BOOL;
const DWORD = windows.DWORD;
const HANDLE = windows.HANDLE;

pub extern "kernel32" fn LockFileEx(
    file: HANDLE,
    flags: DWORD,
    reserved: DWORD,
    length_low: DWORD,
    length_high: DWORD,
    overlapped: *windows.OVERLAPPED,
) callconv(.winapi) BOOL;

pub extern "kernel32" fn GetStartupInfoW(info: *windows.STARTUPINFOW) callconv(.winapi) void;

pub extern "kernel32" fn ResumeThread(thread: HANDLE) callconv(.winapi) DWORD;

pub extern "kernel32" fn CreateJobObjectW(
    attributes: ?*windows.SECURITY_ATTRIBUTES,
    name: ?windows.LPCWSTR,
) callconv(.winapi) ?HANDLE;

pub extern "kernel32" fn SetInformationJobObject(
    job: HANDLE,
    class: c_int,
    information: *const anyopaque,
    length: DWORD,
) callconv(.winapi) BOOL;

pub extern "kernel32" fn AssignProcessToJobObject(job: HANDLE, process: HANDLE) callconv(.winapi) BOOL;

/// winnt.h: JOBOBJECT_EXTENDED_LIMIT_INFORMATION, and the JOBOBJECT_BASIC_LIMIT_INFORMATION that it begins with.
pub const JobLimits = extern struct {
    process_user_time: i64 = 0,
    job_user_time: i64 = 0,
    flags: DWORD = 0,
    working_set_min: usize = 0,
    working_set_max: usize = 0,
    active_processes: DWORD = 0,
    affinity: usize = 0,
    priority_class: DWORD = 0,
    scheduling_class: DWORD = 0,
    input_and_output: [6]u64 = @splat(0),
    process_memory: usize = 0,
    job_memory: usize = 0,
    peak_process_memory: usize = 0,
    peak_job_memory: usize = 0,

    /// The information class of this structure.
    pub const class = 9;
    pub const silent_breakaway_ok = 0x1000;
    pub const kill_on_job_close = 0x2000;
};
