//! The properties of the host that matter to a start: kernel, C library, processors, limits.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const libc = @import("../libc.zig");

/// The places of dynamic loaders, which show the C libraries of a Linux system.
const loaders = if (builtin.os.tag != .linux) .{} else switch (builtin.cpu.arch) {
    .x86_64 => .{ "/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1" },
    .aarch64 => .{ "/lib/ld-linux-aarch64.so.1", "/lib/ld-musl-aarch64.so.1" },
    .arm => .{ "/lib/ld-linux-armhf.so.3", "/lib/ld-musl-armhf.so.1" },
    .riscv64 => .{ "/lib/ld-linux-riscv64-lp64d.so.1", "/lib/ld-musl-riscv64.so.1" },
    .powerpc64le => .{ "/lib64/ld64.so.2", "/lib/ld-musl-powerpc64le.so.1" },
    .s390x => .{ "/lib/ld64.so.1", "/lib/ld-musl-s390x.so.1" },
    else => .{},
};

const Loader = struct {
    path: []const u8,
    /// The version of a glibc.
    version: ?[]const u8,
};

const Limit = struct {
    name: []const u8,
    /// Null if there is no limit.
    value: ?u64,
};

pub const Host = struct {
    kernel: []const u8,
    architecture: []const u8 = @tagName(builtin.cpu.arch),
    cpus: usize,
    page_size: usize,
    loaders: []const Loader,
    limits: []const Limit,

    /// Reads the properties of this host.
    pub fn examine(arena: std.mem.Allocator) error{OutOfMemory}!Host {
        return .{
            .kernel = try kernel(arena),
            .cpus = std.Thread.getCpuCount() catch 1,
            .page_size = std.heap.pageSize(),
            .loaders = try findLoaders(arena),
            .limits = try readLimits(arena),
        };
    }

    /// Prints the host as text.
    pub fn write(host: Host, out: *std.Io.Writer) std.Io.Writer.Error!void {
        try out.print("kernel      {s}\nprocessor   {s}, {d} usable\npage size   {d}\n", .{
            host.kernel, host.architecture, host.cpus, host.page_size,
        });
        for (host.loaders) |loader| {
            try out.print("C library   {s}", .{loader.path});
            if (loader.version) |version| try out.print(" (glibc {s})", .{version});
            try out.writeByte('\n');
        }
        if (loaders.len > 0 and host.loaders.len == 0) try out.writeAll("C library   no known loader\n");
        for (host.limits) |limit| {
            try out.print("limit       {s}: ", .{limit.name});
            if (limit.value) |value| try out.print("{d}\n", .{value}) else try out.writeAll("none\n");
        }
    }
};

fn kernel(arena: std.mem.Allocator) error{OutOfMemory}![]const u8 {
    if (builtin.os.tag == .windows) {
        const process = std.os.windows.peb();
        return std.fmt.allocPrint(arena, "Windows {d}.{d}.{d}", .{
            process.OSMajorVersion, process.OSMinorVersion, process.OSBuildNumber,
        });
    }
    const names = std.posix.uname();
    return std.fmt.allocPrint(arena, "{s} {s}", .{
        std.mem.sliceTo(&names.sysname, 0),
        std.mem.sliceTo(&names.release, 0),
    });
}

fn findLoaders(arena: std.mem.Allocator) error{OutOfMemory}![]const Loader {
    var found: std.ArrayList(Loader) = .empty;
    inline for (loaders) |path| {
        if (std.fs.cwd().access(path, .{})) |_| {
            try found.append(arena, .{ .path = path, .version = try libc.glibcVersion(arena, path) });
        } else |_| {}
    }
    return found.items;
}

fn readLimits(arena: std.mem.Allocator) error{OutOfMemory}![]const Limit {
    if (builtin.os.tag == .windows) return &.{};
    const named = .{ .{ "open files", .NOFILE }, .{ "file size", .FSIZE }, .{ "processes", .NPROC }, .{ "stack", .STACK } } ++
        if (builtin.os.tag == .linux) .{.{ "address space", .AS }} else .{};
    var found: std.ArrayList(Limit) = .empty;
    inline for (named) |each| {
        if (std.posix.getrlimit(each[1])) |limit| {
            const value: ?u64 = if (limit.cur == std.math.maxInt(@TypeOf(limit.cur))) null else @intCast(limit.cur);
            try found.append(arena, .{ .name = each[0], .value = value });
        } else |_| {}
    }
    return found.items;
}

test "a host has a kernel, a processor and pages" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const host: Host = try .examine(arena.allocator());
    try testing.expect(host.kernel.len > 0 and host.cpus > 0 and host.page_size >= 4096);
}
