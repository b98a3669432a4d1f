//! Runs the program as a child process, because Windows cannot replace a process. The child uses this process's
//! console and handles, and this process exits with its exit code.

const std = @import("std");
const builtin = @import("builtin");
const windows = std.os.windows;
const testing = std.testing;
const Allocator = std.mem.Allocator;
const kernel32 = @import("kernel32.zig");

/// Exits with the program's exit code. Returns only if the program cannot be started.
pub fn run(arena: Allocator, arguments: []const [:0]const u8, environment: *const std.process.EnvMap) anyerror {
    windows.ntdll.RtlExitUserProcess(try wait(arena, arguments, environment));
}

/// The exit code of the program when it has ended.
pub fn wait(arena: Allocator, arguments: []const [:0]const u8, environment: *const std.process.EnvMap) anyerror!u32 {
    const program = try wide(arena, try extendedLengthPath(arena, arguments[0]));
    const line = try wide(arena, try commandLine(arena, arguments));
    const block = try std.process.createWindowsEnvBlock(arena, environment);
    var startup: windows.STARTUPINFOW = undefined;
    kernel32.GetStartupInfoW(&startup);
    passStandardHandles(&startup);
    var child: windows.PROCESS_INFORMATION = undefined;
    // The child is suspended until it is in the job, so the job contains all that it starts.
    const flags: windows.CreateProcessFlags = .{ .create_suspended = true, .create_unicode_environment = true };
    if (windows.kernel32.CreateProcessW(
        program,
        line,
        null,
        null,
        windows.TRUE,
        flags,
        block.ptr,
        null,
        &startup,
        &child,
    ) == 0) return startError(windows.GetLastError(), arguments[0]);
    killWithLauncher(child.hProcess);
    ignoreConsoleEvents(child.hProcess);
    _ = kernel32.ResumeThread(child.hThread);
    windows.WaitForSingleObject(child.hProcess, windows.INFINITE) catch return error.Unexpected;
    var code: windows.DWORD = undefined;
    if (windows.kernel32.GetExitCodeProcess(child.hProcess, &code) == 0) return error.Unexpected;
    return code;
}

/// The error for a failure of CreateProcess.
fn startError(code: windows.Win32Error, path: []const u8) anyerror {
    return switch (code) {
        // Systems that cannot start a program with a long path report a missing file.
        .FILE_NOT_FOUND, .PATH_NOT_FOUND, .DIRECTORY => if (path.len > short_path_length_max) error.NameTooLong else error.FileNotFound,
        .ACCESS_DENIED => error.AccessDenied,
        .SHARING_VIOLATION, .LOCK_VIOLATION => error.FileBusy,
        .FILENAME_EXCED_RANGE, .INVALID_NAME => error.NameTooLong,
        .BAD_EXE_FORMAT => error.InvalidExe,
        .EXE_MACHINE_TYPE_MISMATCH, .IMAGE_MACHINE_TYPE_MISMATCH, .IMAGE_MACHINE_TYPE_MISMATCH_EXE => error.OtherProcessor,
        .ELEVATION_REQUIRED => error.ElevationRequired,
        .ACCESS_DISABLED_BY_POLICY, .ACCESS_DISABLED_NO_SAFER_UI_BY_POLICY => error.DisabledByPolicy,
        .VIRUS_INFECTED, .VIRUS_DELETED => error.AntivirusInterference,
        .NOT_ENOUGH_MEMORY, .OUTOFMEMORY, .COMMITMENT_LIMIT, .NO_SYSTEM_RESOURCES => error.SystemResources,
        else => {
            unknown_error_code = @intFromEnum(code);
            return error.Unexpected;
        },
    };
}

/// The last error code of CreateProcess that has no name here; 0 if there was none.
pub var unknown_error_code: u32 = 0;

/// Gives the child inheritable copies of the standard handles. Everything else in our own startup information (a
/// minimized window, descriptors of the C runtime) is passed on unchanged.
fn passStandardHandles(startup: *windows.STARTUPINFOW) void {
    startup.dwFlags |= windows.STARTF_USESTDHANDLES;
    const parameters = windows.peb().ProcessParameters;
    startup.hStdInput = inheritableHandle(parameters.hStdInput);
    startup.hStdOutput = inheritableHandle(parameters.hStdOutput);
    startup.hStdError = inheritableHandle(parameters.hStdError);
}

fn inheritableHandle(handle: windows.HANDLE) ?windows.HANDLE {
    const us = windows.GetCurrentProcess();
    const same_access = 2; // DUPLICATE_SAME_ACCESS
    var made: windows.HANDLE = undefined;
    if (windows.kernel32.DuplicateHandle(us, handle, us, &made, 0, windows.TRUE, same_access) == 0) return null;
    return made;
}

/// Makes the system kill the child when this process ends, however it ends, by closing the job. Processes that the
/// child starts are not in the job, because they would outlive a plain Python too.
fn killWithLauncher(child: windows.HANDLE) void {
    const job = kernel32.CreateJobObjectW(null, null) orelse return;
    const limits: kernel32.JobLimits = .{
        .flags = kernel32.JobLimits.kill_on_job_close | kernel32.JobLimits.silent_breakaway_ok,
    };
    _ = kernel32.SetInformationJobObject(job, kernel32.JobLimits.class, &limits, @sizeOf(kernel32.JobLimits));
    // In a job that allows no nested job (Windows 7), this fails, and the child may outlive us.
    _ = kernel32.AssignProcessToJobObject(job, child);
}

/// The console's handler thread reads it.
var child_process: windows.HANDLE = undefined;

/// Ctrl-C reaches every process of the console. The child handles it, and this process must survive it. The child does
/// not inherit a handler, as it would inherit an ignored Ctrl-C.
fn ignoreConsoleEvents(child: windows.HANDLE) void {
    child_process = child;
    windows.SetConsoleCtrlHandler(handleConsoleEvent, true) catch {}; // there may be no console
}

fn handleConsoleEvent(event: windows.DWORD) callconv(.winapi) windows.BOOL {
    const is_key = event == windows.CTRL_C_EVENT or event == windows.CTRL_BREAK_EVENT;
    // If the window closes or the user logs off, the system ends the process when the handler returns, and the child
    // with it.
    if (!is_key) windows.WaitForSingleObject(child_process, windows.INFINITE) catch {};
    return windows.TRUE;
}

/// The longest path that Windows functions accept without the prefix of long paths, in characters
/// (https://learn.microsoft.com/windows/win32/fileio/maximum-file-path-limitation).
const short_path_length_max = 259;

/// `path` with backslashes, and with the prefix of long paths if it needs one.
fn extendedLengthPath(arena: Allocator, path: []const u8) error{OutOfMemory}![]const u8 {
    const own = try arena.dupe(u8, path);
    std.mem.replaceScalar(u8, own, '/', '\\');
    if (own.len <= short_path_length_max or std.mem.startsWith(u8, own, "\\\\?\\")) return own;
    if (std.mem.startsWith(u8, own, "\\\\")) return std.mem.concat(arena, u8, &.{ "\\\\?\\UNC", own[1..] });
    return std.mem.concat(arena, u8, &.{ "\\\\?\\", own });
}

/// Joins the arguments into a command line that the C runtime of the child splits into the same arguments
/// (https://learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments).
fn commandLine(arena: Allocator, arguments: []const [:0]const u8) error{OutOfMemory}![]const u8 {
    var line: std.ArrayList(u8) = .empty;
    for (arguments, 0..) |argument, number| {
        if (number > 0) try line.append(arena, ' ');
        if (argument.len > 0 and std.mem.indexOfAny(u8, argument, " \t\n\x0b\"") == null) {
            try line.appendSlice(arena, argument);
        } else try appendQuoted(arena, &line, argument);
    }
    return line.items;
}

/// Before a quotation mark, two backslashes stand for one; elsewhere a backslash stands for itself.
fn appendQuoted(arena: Allocator, line: *std.ArrayList(u8), argument: []const u8) error{OutOfMemory}!void {
    try line.append(arena, '"');
    var backslashes: usize = 0;
    for (argument) |character| {
        if (character == '"') try line.appendNTimes(arena, '\\', backslashes + 1);
        backslashes = if (character == '\\') backslashes + 1 else 0;
        try line.append(arena, character);
    }
    try line.appendNTimes(arena, '\\', backslashes);
    try line.append(arena, '"');
}

fn wide(arena: Allocator, text: []const u8) ![:0]u16 {
    return std.unicode.wtf8ToWtf16LeAllocZ(arena, text);
}

test "the command line splits into the original arguments" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const cases = [_]struct { []const [:0]const u8, []const u8 }{
        .{ &.{ "python.exe", "plain", "" }, "python.exe plain \"\"" },
        .{ &.{ "C:\\a b\\python.exe", "a b" }, "\"C:\\a b\\python.exe\" \"a b\"" },
        .{ &.{ "p", "say \"hi\"" }, "p \"say \\\"hi\\\"\"" },
        .{ &.{ "p", "C:\\dir\\", "C:\\a dir\\" }, "p C:\\dir\\ \"C:\\a dir\\\\\"" },
        .{ &.{ "p", "\\\\\"" }, "p \"\\\\\\\\\\\"\"" },
        .{ &.{ "p", "é日本", "\ttab" }, "p é日本 \"\ttab\"" },
    };
    for (cases) |case| {
        const line = try commandLine(arena.allocator(), case[0]);
        try testing.expectEqualStrings(case[1], line);
        if (builtin.os.tag != .windows) continue;
        var parsed: std.process.ArgIteratorWindows = try .init(arena.allocator(), try wide(arena.allocator(), line));
        for (case[0]) |argument| try testing.expectEqualStrings(argument, parsed.next().?);
        try testing.expectEqual(null, parsed.next());
    }
}

test "a long path gets the prefix of long paths" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const allocator = arena.allocator();
    try testing.expectEqualStrings("C:\\a\\b", try extendedLengthPath(allocator, "C:\\a/b"));
    const long = "a" ** short_path_length_max;
    try testing.expectEqualStrings("\\\\?\\C:\\" ++ long, try extendedLengthPath(allocator, "C:/" ++ long));
    try testing.expectEqualStrings("\\\\?\\UNC\\host\\" ++ long, try extendedLengthPath(allocator, "\\\\host\\" ++ long));
    try testing.expectEqualStrings("\\\\?\\C:\\" ++ long, try extendedLengthPath(allocator, "\\\\?\\C:\\" ++ long));
}
