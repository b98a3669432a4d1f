//! Every way in which a start can end before the application runs: what failed, why, and what mends it.

const std = @import("std");
const builtin = @import("builtin");
const base_directory = @import("base.zig");
const child = @import("child.zig");
const control_group = @import("control_group.zig");
const install = @import("install.zig");
const locate = @import("locate.zig");
const manifest = @import("manifest.zig");
const report = @import("report.zig");

pub fn stackTooSmall(limit: u64) noreturn {
    report.fatal(
        "scie",
        "the stack is limited to {d} kB (ulimit -s), too little for Python to start\nhint: raise the hard limit to 128 kB or more",
        .{limit >> 10},
    );
}

pub fn selfNotFound(called: []const u8, err: locate.Error) noreturn {
    switch (err) {
        error.NotFound => report.fatal(
            called,
            "this executable cannot find its own file\nhint: mount /proc, or start it by its full path",
            .{},
        ),
        error.Unreadable => report.fatal(
            called,
            "this executable may not read its own file\nhint: give it read permission: chmod +r",
            .{},
        ),
        error.ProcessFdQuotaExceeded, error.SystemFdQuotaExceeded => report.fatal(
            called,
            "this executable cannot open its own file: {s}\nhint: raise that limit",
            .{report.describe(err)},
        ),
    }
}

pub fn manifestUnreadable(called: []const u8, path: []const u8, err: manifest.Error) noreturn {
    switch (err) {
        error.NoManifest => report.fatal(
            called,
            "{s} holds nothing to start: it is a launcher alone, or the file was cut short" ++
                "\nhint: copy or download the file again",
            .{path},
        ),
        error.NewerFormat => report.fatal(
            called,
            "{s} was put together for a newer launcher than its own\nhint: build it again with one czscie",
            .{path},
        ),
        error.CorruptManifest => report.fatal(
            called,
            "the manifest at the end of {s} is damaged\nhint: copy or download the file again",
            .{path},
        ),
        else => report.fatal(called, "{s} cannot be read: {s}", .{ path, report.describe(err) }),
    }
}

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
        "there is no directory to unpack into; tried{s}" ++
            "\nhint: set CZSCIE_BASE to a directory of your own that can be written to and executed from, or unpack" ++
            " into the image (the tool install)",
        .{lines.items},
    );
}

/// Told at each start, as each start takes the time, unless somebody said that it is meant.
pub fn inMemory(lift: manifest.Manifest) void {
    var unpacked: u64 = 0;
    for (lift.files) |file| unpacked +|= file.unpacked;
    report.note(
        lift.name,
        "it unpacks {d} MB into memory, as each start will: no directory can be written to and executed from" ++
            " (CZSCIE_MEMORY=fallback: say nothing)",
        .{unpacked / 1_000_000 + 1},
    );
}

pub fn memorySettingUnknown(name: []const u8) noreturn {
    report.fatal(name, "CZSCIE_MEMORY is no word that is known\nhint: set it to fallback, always or never", .{});
}

/// The executable of a permanent installation has nothing to install.
pub fn installationUnusable(arena: std.mem.Allocator, lift: manifest.Manifest, executable: []const u8) noreturn {
    const path = lift.base orelse "its directory";
    const reason = base_directory.startProblem(arena, path, lift.files) catch "out of memory";
    report.fatal(
        lift.name,
        "{s} starts what is installed in {s}, which cannot be used: {s}" ++
            "\nhint: install it again with the file that it was installed from",
        .{ executable, path, reason },
    );
}

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
            "{s} is damaged, in {s}\nhint: copy or download the file again",
            .{ executable, subject },
        ),
        error.NoSpaceLeft, error.DiskQuota => report.fatal(
            name,
            "cannot unpack {s} into {s}: {s}\nhint: make room there, or set CZSCIE_BASE to another directory",
            .{ subject, base, report.describe(failure.err) },
        ),
        error.ProcessFdQuotaExceeded, error.FileTooBig => report.fatal(
            name,
            "cannot unpack {s} into {s}: {s}\nhint: raise that limit",
            .{ subject, base, report.describe(failure.err) },
        ),
        error.MemoryLimit => report.fatal(
            name,
            "cannot unpack {s} into {s}: the limit of memory is {d} MB, too little for it" ++
                "\nhint: raise the limit of the control group, or of the container",
            .{ subject, base, (control_group.memoryLimit() orelse 0) / 1_000_000 },
        ),
        error.OutOfMemory, error.SystemResources => report.fatal(
            name,
            "cannot unpack {s} into {s}: {s}" ++
                "\nhint: raise the limits of memory: ulimit -v and -d, or the container's",
            .{ subject, base, report.describe(failure.err) },
        ),
        else => report.fatal(
            name,
            "cannot unpack {s} into {s}: {s}\nhint: set CZSCIE_BASE to another directory",
            .{ subject, base, report.describe(failure.err) },
        ),
    }
}

/// `asked` is what SCIE_BOOT names, if it is set.
pub fn noCommand(lift: manifest.Manifest, asked: ?[]const u8) noreturn {
    var buffer: [2048]u8 = undefined;
    var lines: std.Io.Writer = .fixed(&buffer);
    for (lift.boot.commands.map.keys(), lift.boot.commands.map.values()) |name, each| {
        const shown = if (name.len == 0) "(default)" else name;
        lines.print("\n  {s}  {s}", .{ shown, each.description orelse "" }) catch break;
    }
    const given = asked orelse report.fatal(
        lift.name,
        "no command was chosen; there are{s}\nhint: give one as the first argument or in SCIE_BOOT",
        .{lines.buffered()},
    );
    report.fatal(
        lift.name,
        "SCIE_BOOT is '{s}', which is no command of it; there are{s}\nhint: set SCIE_BOOT to one of them, or unset it",
        .{ given, lines.buffered() },
    );
}

pub fn placeholderUnknown(name: []const u8, err: anyerror) noreturn {
    switch (err) {
        error.UnknownPlaceholder => report.fatal(
            name,
            "the boot command holds a placeholder that this launcher does not know" ++
                "\nhint: build the file again with one czscie",
            .{},
        ),
        else => report.fatal(name, "{s}", .{report.describe(err)}),
    }
}

/// What was damaged could not be put back.
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
            report.fatal(installation.application, "what is installed in {s} is damaged and cannot be mended: {s}: {s}\nhint: {s}", .{
                installation.base.path, subject, report.describe(failure.err), toolsHint(&buffer, executable, tools),
            });
        },
    }
}

const hint_length_max = 2 * std.fs.max_path_bytes;

/// How to look at what is installed and to have it made again.
fn toolsHint(buffer: []u8, executable: []const u8, tools: []const u8) []const u8 {
    if (tools.len == 0) return "remove what is installed there; the next start installs it again";
    return std.fmt.bufPrint(
        buffer,
        "`{s}=verify {s}` says what is damaged, `{s}=uninstall {s}` removes it; the next start installs it again",
        .{ tools, executable, tools, executable },
    ) catch "the tool verify says what is damaged, the tool uninstall removes it; the next start installs it again";
}

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
        "{s} cannot start: its loader is missing, so this host has no C library of the kind it needs" ++
            "\nhint: `czscie inspect` tells what the file needs; build it for this host's platform",
        .{program},
    );
    const is_installed = std.mem.startsWith(u8, program, base);
    if (child.unknown_error_code != 0) report.fatal(lift.name, "{s} cannot be started: Windows error {d}" ++
        "\nhint: `net helpmsg {d}` says what it means", .{ program, child.unknown_error_code, child.unknown_error_code });
    if (!is_installed) report.fatal(lift.name, "{s} cannot be started: {s}", .{ program, report.describe(err) });
    if (err == error.NameTooLong) report.fatal(
        lift.name,
        "{s} cannot be started: {s}\nhint: set CZSCIE_BASE to a directory with a shorter path",
        .{ program, report.describe(err) },
    );
    var buffer: [hint_length_max]u8 = undefined;
    report.fatal(lift.name, "{s} cannot be started: {s}\nhint: {s}", .{
        program, report.describe(err), toolsHint(&buffer, executable, lift.tools),
    });
}
