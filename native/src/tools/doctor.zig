//! `doctor`: where a start would unpack and why not elsewhere, what the host is like, and what it lacks.

const std = @import("std");
const builtin = @import("builtin");
const base_directory = @import("../base.zig");
const memory_base = @import("../memory_base.zig");
const host = @import("host.zig");
const libc = @import("../libc.zig");
const manifest = @import("../manifest.zig");
const resources = @import("resources.zig");
const Context = @import("context.zig").Context;

const Place = struct {
    path: []const u8,
    /// Who asked for it.
    setting: ?[]const u8,
    chosen: bool,
    /// `installed`, `usable`, or why it is neither.
    state: []const u8,
};

/// Which C library a start takes, of an executable that brings one along.
const Library = struct {
    bundled: bool,
    /// What the host's lacks.
    missing_requirement: ?[]const u8,
};

const Findings = struct {
    executable: []const u8,
    libc: ?Library,
    base: ?[]const u8,
    places: []const Place,
    memory: []const memory_base.Method,
    host: host.Host,
    resources: []const resources.Finding,
};

pub fn run(context: *const Context) anyerror!u8 {
    var findings: Findings = .{
        .executable = context.executable.path,
        .libc = try library(context),
        .base = null,
        .places = &.{},
        .memory = try memory_base.assess(context.arena, try context.candidates(), context.lift.files),
        .resources = try resources.examine(context.arena, context.variables),
        .host = try .examine(context.arena),
    };
    try assess(context, &findings);
    if (context.options.json) try context.json(findings) else try write(context.out, findings);
    return if (findings.base != null or fallsBack(context, findings)) 0 else 1;
}

fn library(context: *const Context) !?Library {
    const built = try manifest.read(context.arena, context.executable.file, context.executable.payload_end);
    return .{
        .bundled = context.lift.libc != null,
        .missing_requirement = try libc.missingRequirement(context.arena, built, built.libc orelse return null),
    };
}

/// Whether a start that finds no directory has memory.
fn fallsBack(context: *const Context, findings: Findings) bool {
    if (!context.lift.hasParts()) return false;
    if (memory_base.Setting.read(context.variables) == .never) return false;
    for (findings.memory) |method| if (method.reason == null) return true;
    return false;
}

fn assess(context: *const Context, findings: *Findings) !void {
    const candidates = try context.candidates();
    const places = try context.arena.alloc(Place, candidates.len);
    // An executable of a permanent installation starts where everything is, all others at the first that will do.
    const installs = context.lift.hasParts();
    const verdicts = try context.arena.alloc(base_directory.Verdict, candidates.len);
    for (candidates, places, verdicts) |candidate, *place, *verdict| {
        verdict.* = try base_directory.assess(context.arena, candidate, context.lift.files);
        if (!installs and verdict.* == .usable) verdict.* = .{ .refused = "nothing is installed there" };
        place.* = .{
            .path = candidate.path,
            .setting = candidate.setting,
            .chosen = false,
            .state = switch (verdict.*) {
                .installed => "installed",
                .usable => "usable",
                .refused => |reason| reason,
            },
        };
    }
    if (base_directory.chosenIndex(candidates, verdicts)) |index| {
        places[index].chosen = true;
        findings.base = places[index].path;
    }
    findings.places = places;
}

fn write(out: *std.Io.Writer, findings: Findings) !void {
    try out.print("executable  {s}\nbase directories, the first that will do:\n", .{findings.executable});
    for (findings.places) |place| {
        try out.print("  {s} {s}", .{ if (place.chosen) "*" else " ", place.path });
        if (place.setting) |setting| try out.print(" ({s})", .{setting});
        try out.print(": {s}\n", .{place.state});
    }
    if (findings.base == null) try out.writeAll("  none will do: set CZSCIE_BASE to a directory of your own\n");
    if (findings.memory.len > 0) try out.writeAll("where none will do:\n");
    for (findings.memory) |method| try out.print("    {s}: {s}\n", .{ method.name, method.reason orelse "usable" });
    if (findings.libc) |found| try out.print("C library   {s}: {s}\n", .{
        if (found.bundled) "the one that comes along" else "the host's, not the one that comes along",
        found.missing_requirement orelse "the host's would do",
    });
    try findings.host.write(out);
    try resources.write(out, findings.resources);
}
