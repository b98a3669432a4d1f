//! `doctor` shows which base directory a start uses and why, what the host has, and what it lacks.

const std = @import("std");
const builtin = @import("builtin");
const base_directory = @import("../base.zig");
const libc = @import("../libc.zig");
const manifest = @import("../manifest.zig");
const memory_base = @import("../memory_base.zig");
const Context = @import("context.zig").Context;
const host = @import("host.zig");
const resources = @import("resources.zig");

const Place = struct {
    path: []const u8,
    /// The setting that names it.
    setting: ?[]const u8,
    chosen: bool,
    /// `installed`, `usable`, or the reason why it is neither.
    state: []const u8,
};

/// The C library that a start uses, if the executable bundles one.
const Library = struct {
    bundled: bool,
    /// What the host's C library lacks.
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

/// Whether a start without a usable directory can use memory.
fn fallsBack(context: *const Context, findings: Findings) bool {
    if (!context.lift.hasParts()) return false;
    if (memory_base.Setting.read(context.variables) == .never) return false;
    for (findings.memory) |method| if (method.reason == null) return true;
    return false;
}

fn assess(context: *const Context, findings: *Findings) !void {
    const candidates = try context.candidates();
    const places = try context.arena.alloc(Place, candidates.len);
    // An executable of a permanent installation starts only where everything is installed.
    const installs = context.lift.hasParts();
    const verdicts = try context.arena.alloc(base_directory.Verdict, candidates.len);
    for (candidates, places, verdicts) |candidate, *place, *verdict| {
        verdict.* = try base_directory.assess(context.arena, candidate, context.lift.files);
        if (!installs and verdict.* == .usable) verdict.* = .{ .refused = "not installed there" };
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
    try out.print("executable  {s}\nbase directories, in order of preference:\n", .{findings.executable});
    for (findings.places) |place| {
        try out.print("  {s} {s}", .{ if (place.chosen) "*" else " ", place.path });
        if (place.setting) |setting| try out.print(" ({s})", .{setting});
        try out.print(": {s}\n", .{place.state});
    }
    if (findings.base == null) try out.writeAll("  none is usable: set CZSCIE_BASE to a directory of your own\n");
    if (findings.memory.len > 0) try out.writeAll("fallbacks, if no directory is usable:\n");
    for (findings.memory) |method| try out.print("    {s}: {s}\n", .{ method.name, method.reason orelse "usable" });
    if (findings.libc) |found| try out.print("C library   {s}: {s}\n", .{
        if (found.bundled) "the bundled one" else "the host's, not the bundled one",
        found.missing_requirement orelse "the host's is sufficient",
    });
    try findings.host.write(out);
    try resources.write(out, findings.resources);
}
