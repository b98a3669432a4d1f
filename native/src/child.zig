//! The program as a child of this process, which Windows cannot replace: it runs in our console, with our handles,
//! and this process ends with its exit code.

const std = @import("std");
const builtin = @import("builtin");
const windows = std.os.windows;
const testing = std.testing;
const Allocator = std.mem.Allocator;
const kernel32 = @import("kernel32.zig");

/// Does not return unless the program cannot be started.
pub fn run(arena: Allocator, arguments: []const [:0]const u8, environment: *const std.process.EnvMap) anyerror {
    const program = try wide(arena, try extendedLengthPath(arena, arguments[0]));
    const line = try wide(arena, try commandLine(arena, arguments));
    const block = try std.process.createWindowsEnvBlock(arena, environment);
    var startup: windows.STARTUPINFOW = undefined;
    kernel32.GetStartupInfoW(&startup);
    passStandardHandles(&startup);
    var child: windows.PROCESS_INFORMATION = undefined;
    // Suspended until it is in the job: nothing that it starts can be missed.
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
    windows.ntdll.RtlExitUserProcess(code);
}

/// What CreateProcess says of a program that it does not start.
fn startError(code: windows.Win32Error, path: []const u8) anyerror {
    return switch (code) {
        // Systems that start no program of a long path say that there is none.
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

/// What CreateProcess said last that has no name here; 0 when there was nothing.
pub var unknown_error_code: u32 = 0;

/// Lets the child have the standard handles, which need not be inheritable themselves. What else the parent said in
/// our own start (a window that is minimized, descriptors of the C runtime) is handed on as it is.
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

/// Makes the child end when this process does, however that ends: the system closes the job then. What the child
/// starts is not in the job, as it would outlive a plain Python, too.
fn killWithLauncher(child: windows.HANDLE) void {
    const job = kernel32.CreateJobObjectW(null, null) orelse return;
    const limits: kernel32.JobLimits = .{
        .flags = kernel32.JobLimits.kill_on_job_close | kernel32.JobLimits.silent_breakaway_ok,
    };
    _ = kernel32.SetInformationJobObject(job, kernel32.JobLimits.class, &limits, @sizeOf(kernel32.JobLimits));
    // Where we are in a job that allows no other (Windows 7) there is nothing to be done.
    _ = kernel32.AssignProcessToJobObject(job, child);
}

/// Read by a thread that the console makes.
var child_process: windows.HANDLE = undefined;

/// Ctrl-C reaches every process of the console: it is the child's to answer, and ours to outlive. A handler is not
/// inherited, as it would be to ignore Ctrl-C.
fn ignoreConsoleEvents(child: windows.HANDLE) void {
    child_process = child;
    windows.SetConsoleCtrlHandler(handleConsoleEvent, true) catch {}; // there may be no console
}

fn handleConsoleEvent(event: windows.DWORD) callconv(.winapi) windows.BOOL {
    const is_key = event == windows.CTRL_C_EVENT or event == windows.CTRL_BREAK_EVENT;
    // The window closes or the user logs off: whoever returns is ended, and with us the child.
    if (!is_key) windows.WaitForSingleObject(child_process, windows.INFINITE) catch {};
    return windows.TRUE;
}

/// The characters that a path may have before the functions of Windows want it to say that it is long
/// (https://learn.microsoft.com/windows/win32/fileio/maximum-file-path-limitation).
const short_path_length_max = 259;

/// `path` with the separators of Windows, and with the prefix of long paths where it has to have one.
fn extendedLengthPath(arena: Allocator, path: []const u8) error{OutOfMemory}![]const u8 {
    const own = try arena.dupe(u8, path);
    std.mem.replaceScalar(u8, own, '/', '\\');
    if (own.len <= short_path_length_max or std.mem.startsWith(u8, own, "\\\\?\\")) return own;
    if (std.mem.startsWith(u8, own, "\\\\")) return std.mem.concat(arena, u8, &.{ "\\\\?\\UNC", own[1..] });
    return std.mem.concat(arena, u8, &.{ "\\\\?\\", own });
}

/// The arguments as one line, from which the C runtime of the child takes the same arguments
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

/// Backslashes count only before a quotation mark, where two stand for one.
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

test "arguments are taken from the line as they were" {
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

test "a long path says that it is one" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const allocator = arena.allocator();
    try testing.expectEqualStrings("C:\\a\\b", try extendedLengthPath(allocator, "C:\\a/b"));
    const long = "a" ** short_path_length_max;
    try testing.expectEqualStrings("\\\\?\\C:\\" ++ long, try extendedLengthPath(allocator, "C:/" ++ long));
    try testing.expectEqualStrings("\\\\?\\UNC\\host\\" ++ long, try extendedLengthPath(allocator, "\\\\host\\" ++ long));
    try testing.expectEqualStrings("\\\\?\\C:\\" ++ long, try extendedLengthPath(allocator, "\\\\?\\C:\\" ++ long));
}
