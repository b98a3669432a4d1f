//! The errors that end a start before the application runs: what failed, why, and how to fix it.

const std = @import("std");
const builtin = @import("builtin");
const base_directory = @import("base.zig");
const child = @import("child.zig");
const command_list = @import("command_list.zig");
const dotenv = @import("dotenv.zig");
const control_group = @import("control_group.zig");
const install = @import("install.zig");
const locate = @import("locate.zig");
const manifest = @import("manifest.zig");
const Nearest = @import("nearest.zig").Nearest;
const process = @import("process.zig");
const report = @import("report.zig");

/// `limit` is in bytes.
pub fn stackTooSmall(limit: u64) noreturn {
    report.fatal(
        "scie",
        "the stack limit of {d} kB (ulimit -s) is too small for Python\nhint: raise the hard limit to 128 kB or more",
        .{limit >> 10},
    );
}

/// `called` is the name by which the executable was started.
pub fn selfNotFound(called: []const u8, err: locate.Error) noreturn {
    switch (err) {
        error.NotFound => report.fatal(
            called,
            "this executable cannot find its own file\nhint: mount /proc, or start the executable by its full path",
            .{},
        ),
        error.Unreadable => report.fatal(
            called,
            "this executable has no permission to read its own file\nhint: add the permission with chmod +r",
            .{},
        ),
        error.ProcessFdQuotaExceeded, error.SystemFdQuotaExceeded => report.fatal(
            called,
            "this executable cannot open its own file: {s}\nhint: raise the limit",
            .{report.describe(err)},
        ),
    }
}

/// `called` is the name by which the executable was started, `path` its file.
pub fn manifestUnreadable(called: []const u8, path: []const u8, err: manifest.Error) noreturn {
    switch (err) {
        error.NoManifest => report.fatal(
            called,
            "{s} has no manifest: it is a bare launcher, or the file is truncated" ++
                "\nhint: copy or download the file again",
            .{path},
        ),
        error.NewerFormat => report.fatal(
            called,
            "{s} needs a newer launcher than its own\nhint: rebuild it with a single version of czscie",
            .{path},
        ),
        error.CorruptManifest => report.fatal(
            called,
            "the manifest at the end of {s} is damaged\nhint: copy or download the file again",
            .{path},
        ),
        else => report.fatal(called, "cannot read {s}: {s}", .{ path, report.describe(err) }),
    }
}

/// Lists the refused candidates with their reasons.
pub fn noBase(arena: std.mem.Allocator, name: []const u8, refusals: []const base_directory.Refusal) noreturn {
    var lines: std.ArrayList(u8) = .empty;
    for (refusals) |refusal| {
        lines.appendSlice(arena, "\n  ") catch {};
        lines.appendSlice(arena, refusal.candidate.path) catch {};
        lines.appendSlice(arena, ": ") catch {};
        lines.appendSlice(arena, refusal.reason) catch {};
    }
    report.fatal(
        name,
        "found no directory to unpack into; tried:{s}" ++
            "\nhint: set CZSCIE_BASE to a writable directory that is not mounted noexec, or install the application" ++
            " into the image with the tool install",
        .{lines.items},
    );
}

/// Each start prints it, because each start unpacks, unless a setting has chosen memory.
pub fn inMemory(lift: manifest.Manifest) void {
    var unpacked: u64 = 0;
    for (lift.files) |file| unpacked +|= file.unpacked;
    report.note(
        lift.name,
        "each start unpacks {d} MB into memory, because no directory is both writable and executable" ++
            " (CZSCIE_MEMORY=fallback silences this note)",
        .{unpacked / 1_000_000 + 1},
    );
}

/// CZSCIE_MEMORY has none of its three values.
pub fn memorySettingUnknown(name: []const u8) noreturn {
    report.fatal(name, "CZSCIE_MEMORY has an unknown value\nhint: set it to fallback, always or never, or unset it", .{});
}

/// The executable of a permanent installation contains no parts to install.
pub fn installationUnusable(arena: std.mem.Allocator, lift: manifest.Manifest, executable: []const u8) noreturn {
    const path = lift.base orelse "its directory";
    const reason = base_directory.startProblem(arena, path, lift.files) catch "out of memory";
    report.fatal(
        lift.name,
        "{s} cannot use its installation in {s}: {s}" ++
            "\nhint: reinstall it with the original executable",
        .{ executable, path, reason },
    );
}

/// A part could not be unpacked.
pub fn notInstalled(
    installation: install.Installation,
    failure: install.Failure,
    executable: []const u8,
) noreturn {
    const name = installation.application;
    const base = installation.base.path;
    const subject = if (failure.subject.len > 0) failure.subject else installation.file.name;
    switch (failure.err) {
        error.CorruptZip, error.CorruptPlan, error.CorruptEntry, error.CorruptFrame => report.fatal(
            name,
            "{s} is damaged: cannot read {s}\nhint: copy or download the file again",
            .{ executable, subject },
        ),
        error.NoSpaceLeft, error.DiskQuota => report.fatal(
            name,
            "cannot unpack {s} into {s}: {s}\nhint: free some space there, or set CZSCIE_BASE to another directory",
            .{ subject, base, report.describe(failure.err) },
        ),
        error.ProcessFdQuotaExceeded, error.FileTooBig => report.fatal(
            name,
            "cannot unpack {s} into {s}: {s}\nhint: raise the limit",
            .{ subject, base, report.describe(failure.err) },
        ),
        error.MemoryLimit => report.fatal(
            name,
            "cannot unpack {s} into {s}: the memory limit of {d} MB is too small" ++
                "\nhint: raise the memory limit of the control group or the container",
            .{ subject, base, (control_group.memoryLimit() orelse 0) / 1_000_000 },
        ),
        error.OutOfMemory, error.SystemResources => report.fatal(
            name,
            "cannot unpack {s} into {s}: {s}" ++
                "\nhint: raise the memory limits (ulimit -v, ulimit -d, or the container's)",
            .{ subject, base, report.describe(failure.err) },
        ),
        else => report.fatal(
            name,
            "cannot unpack {s} into {s}: {s}\nhint: set CZSCIE_BASE to another directory",
            .{ subject, base, report.describe(failure.err) },
        ),
    }
}

/// `asked` is the value of SCIE_BOOT, if it is set, and `first` the first argument, if there is one.
pub fn noCommand(lift: manifest.Manifest, asked: ?[]const u8, first: ?[]const u8) noreturn {
    var buffer: [2048]u8 = undefined;
    var lines: std.Io.Writer = .fixed(&buffer);
    command_list.write(&lines, lift.boot.commands) catch {}; // truncated
    const given = asked orelse notSelected(lift, lines.buffered(), first orelse "");
    const hint: Hint = .of("SCIE_BOOT", given, lift.boot.commands.map.keys());
    report.fatal(
        lift.name,
        "SCIE_BOOT names the unknown command '{s}'; available commands:{s}\n{f}",
        .{ given, lines.buffered(), hint },
    );
}

/// `list` has a line for each command, and `first`, the first argument, names none of them.
fn notSelected(lift: manifest.Manifest, list: []const u8, first: []const u8) noreturn {
    const how = "pass one as the first argument, or set SCIE_BOOT to it";
    if (first.len == 0) report.fatal(lift.name, "no command was selected; available commands:{s}\nhint: " ++ how, .{list});
    const nearest: Nearest = .find(first, lift.boot.commands.map.keys());
    const what = "unknown command '{s}'; available commands:{s}\nhint: ";
    if (nearest.count == 0) report.fatal(lift.name, what ++ how, .{ first, list });
    report.fatal(lift.name, what ++ "did you mean {f}?", .{ first, list, nearest });
}

/// `given` selects a tool, but none of `names`.
pub fn toolUnknown(lift: manifest.Manifest, given: []const u8, names: []const []const u8) noreturn {
    var buffer: [1024]u8 = undefined;
    var list: std.Io.Writer = .fixed(&buffer);
    for (names) |name| list.print("\n  {s}", .{name}) catch break;
    const hint: Hint = .of(lift.tools, given, names);
    report.fatal(
        lift.name,
        "{s} names the unknown tool '{s}'; available tools:{s}\n{f}; {s}=help describes them",
        .{ lift.tools, given, list.buffered(), hint, lift.tools },
    );
}

/// `tool` makes scies from manifests, which only other launchers do.
pub fn noPacking(name: []const u8, tool: []const u8) noreturn {
    report.fatal(
        name,
        "there is no tool {s}: the launcher of czscie does not build executables\nhint: run `czscie build lift.json`",
        .{tool},
    );
}

/// How to correct a variable that names something unknown.
const Hint = struct {
    variable: []const u8,
    nearest: Nearest,

    fn of(variable: []const u8, given: []const u8, names: []const []const u8) Hint {
        return .{ .variable = variable, .nearest = .find(given, names) };
    }

    pub fn format(hint: Hint, writer: *std.Io.Writer) std.Io.Writer.Error!void {
        try writer.print("hint: set {s} to ", .{hint.variable});
        if (hint.nearest.count > 0) try writer.print("{f}", .{hint.nearest}) else try writer.writeAll("one of them");
        try writer.writeAll(", or unset it");
    }
};

/// `err` comes from the expansion of the boot command.
pub fn placeholderUnknown(name: []const u8, err: anyerror) noreturn {
    switch (err) {
        error.UnknownPlaceholder => report.fatal(
            name,
            "the boot command has a placeholder that this launcher does not support" ++
                "\nhint: rebuild the file with a single version of czscie",
            .{},
        ),
        error.InvalidExpression => report.fatal(
            name,
            "the boot command has a regular expression that this launcher does not support" ++
                "\nhint: rebuild the file with a single version of czscie",
            .{},
        ),
        error.ExpansionTooLong => report.fatal(
            name,
            "the boot command has a value that is longer than 131072 bytes, or that needs too many others" ++
                "\nhint: shorten the variables that it names",
            .{},
        ),
        else => report.fatal(name, "{s}", .{report.describe(err)}),
    }
}

/// A variable chooses `name` as the file or interpreter of a placeholder.
pub fn fileUnknown(lift: manifest.Manifest, name: []const u8) noreturn {
    var buffer: [1024]u8 = undefined;
    var list: std.Io.Writer = .fixed(&buffer);
    // The part of embedded files and that of the C library have no name in placeholders.
    for (lift.files) |part| if (!std.mem.startsWith(u8, part.name, ".")) list.print("\n  {s}", .{part.name}) catch break;
    for (lift.lazy) |part| if (part.kind == .interpreter) list.print("\n  {s}", .{part.name}) catch break;
    for (lift.boot.names.map.keys()) |each| list.print("\n  {s}", .{each}) catch break;
    const what = "the command needs '{s}'; this executable has";
    const how = "\nhint: change the environment variable that selects it";
    if (list.end == 0) report.fatal(lift.name, what ++ " no files" ++ how, .{name});
    report.fatal(lift.name, what ++ ":{s}" ++ how, .{ name, list.buffered() });
}

/// The `.env` of the working directory, or of one above it, cannot be read.
pub fn dotenvInvalid(name: []const u8, fault: dotenv.Fault) noreturn {
    const what = "the application requested .env files be loaded but there was an error";
    if (fault.line == 0) report.fatal(name, what ++ ": {s}: {s}", .{ fault.path, fault.reason });
    report.fatal(name, what ++ ": {s}, line {d}: {s}", .{ fault.path, fault.line, fault.reason });
}

/// A binding exited with another status than 0.
pub fn bindingFailed(name: []const u8, ending: process.Ending) noreturn {
    const what = "Boot binding command failed: ";
    switch (ending) {
        .exit => |status| report.fatal(name, what ++ "exit status: {d}", .{status}),
        .signal => |signal| report.fatal(name, what ++ "signal: {d}", .{signal}),
    }
}

/// A binding wrote something else than values by their keys.
pub fn bindingInvalid(name: []const u8, binding: []const u8) noreturn {
    report.fatal(
        name,
        "the binding {s} wrote an invalid result" ++
            "\nhint: write lines KEY=value to the file SCIE_BINDING_ENV, or a JSON list of objects with key and value to SCIE_BINDING_JSON",
        .{binding},
    );
}

/// A binding names itself, directly or by others.
pub fn bindingCycle(lift: manifest.Manifest, binding: []const u8) noreturn {
    report.fatal(lift.name, "the binding {s} needs itself", .{binding});
}

pub fn bindingChain(lift: manifest.Manifest, binding: []const u8, max: usize) noreturn {
    report.fatal(lift.name, "more than {d} bindings need each other, {s} among them", .{ max, binding });
}

/// A lazy part is missing in a base directory that only another user can write to.
pub fn partNotWritable(name: []const u8, part: []const u8, path: []const u8) noreturn {
    report.fatal(
        name,
        "{s} is not installed in {s}, and only another user can install it there" ++
            "\nhint: start the application once as that user, or set CZSCIE_BASE to a directory that you can write to",
        .{ part, path },
    );
}

pub fn partNotInstalled(name: []const u8, part: []const u8, path: []const u8, err: anyerror) noreturn {
    report.fatal(
        name,
        "cannot install {s} into {s}: {s}\nhint: set CZSCIE_BASE to a directory that you can write to",
        .{ part, path, report.describe(err) },
    );
}

pub fn fetcherNotStarted(name: []const u8, program: []const u8, err: anyerror) noreturn {
    report.fatal(name, "cannot start {s}, which downloads parts: {s}", .{ program, report.describe(err) });
}

/// The fetcher has said why.
pub fn partNotFetched(name: []const u8, part: []const u8, ending: process.Ending) noreturn {
    switch (ending) {
        .exit => std.process.exit(report.exit_status),
        .signal => |signal| report.fatal(name, "the download of {s} was killed by signal {d}", .{ part, signal }),
    }
}

/// There is no place for what boot commands keep.
pub fn bootNotWritable(name: []const u8, path: []const u8, err: anyerror) noreturn {
    report.fatal(
        name,
        "cannot keep what bindings make in {s}: {s}\nhint: set CZSCIE_BASE to a directory that you can write to",
        .{ path, report.describe(err) },
    );
}

/// The start could not restore the damaged files.
pub fn notRepaired(installation: install.Installation, executable: []const u8, tools: []const u8) noreturn {
    const failure = installation.failure.?;
    const subject = if (failure.subject.len > 0) failure.subject else installation.file.name;
    switch (failure.err) {
        error.CorruptZip, error.CorruptPlan, error.CorruptEntry, error.CorruptFrame => notInstalled(
            installation,
            failure,
            executable,
        ),
        else => {
            var buffer: [hint_length_max]u8 = undefined;
            report.fatal(installation.application, "cannot repair the damaged installation in {s}: {s}: {s}\nhint: {s}", .{
                installation.base.path, subject, report.describe(failure.err), toolsHint(&buffer, executable, tools),
            });
        },
    }
}

const hint_length_max = 2 * std.fs.max_path_bytes;

/// How to list the damage and to reinstall.
fn toolsHint(buffer: []u8, executable: []const u8, tools: []const u8) []const u8 {
    if (tools.len == 0) return "remove the installation; the next start installs it again";
    return std.fmt.bufPrint(
        buffer,
        "`{s}=verify {s}` lists the damage, `{s}=uninstall {s}` removes the installation; the next start installs it again",
        .{ tools, executable, tools, executable },
    ) catch "the tool verify lists the damage, the tool uninstall removes the installation; the next start installs it again";
}

/// `program` could not be started because of `err`.
pub fn notStarted(
    lift: manifest.Manifest,
    executable: []const u8,
    base: []const u8,
    program: []const u8,
    err: anyerror,
) noreturn {
    const there = if (std.fs.cwd().access(program, .{})) |_| true else |_| false;
    if (err == error.FileNotFound and there and builtin.os.tag != .windows) report.fatal(
        lift.name,
        "cannot start {s}: its dynamic loader is missing, so this host lacks the C library that it needs" ++
            "\nhint: `czscie inspect` shows what the file needs; build it for this host's platform",
        .{program},
    );
    const is_installed = std.mem.startsWith(u8, program, base);
    if (child.unknown_error_code != 0) report.fatal(lift.name, "cannot start {s}: Windows error {d}" ++
        "\nhint: `net helpmsg {d}` explains the error", .{ program, child.unknown_error_code, child.unknown_error_code });
    if (!is_installed) report.fatal(lift.name, "cannot start {s}: {s}", .{ program, report.describe(err) });
    if (err == error.NameTooLong) report.fatal(
        lift.name,
        "cannot start {s}: {s}\nhint: set CZSCIE_BASE to a directory with a shorter path",
        .{ program, report.describe(err) },
    );
    var buffer: [hint_length_max]u8 = undefined;
    report.fatal(lift.name, "cannot start {s}: {s}\nhint: {s}", .{
        program, report.describe(err), toolsHint(&buffer, executable, lift.tools),
    });
}
