using System.Globalization;

namespace KubeProxy.Netfilter.Nftables.Validation;

/// <summary>The error numbers that nf_tables answers with (<c>asm-generic/errno.h</c>).</summary>
internal static class NftErrno
{
    public const int Eperm = 1;
    public const int Enoent = 2;
    public const int Eintr = 4;
    public const int Ebusy = 16;
    public const int Eexist = 17;
    public const int Einval = 22;
    public const int Enfile = 23;
    public const int Emlink = 31;
    public const int Erestart = 85;
    public const int Eopnotsupp = 95;
    public const int Enobufs = 105;

    public static string Name(int errno) => errno switch
    {
        Eperm => "EPERM",
        Enoent => "ENOENT",
        Eintr => "EINTR",
        11 => "EAGAIN",
        12 => "ENOMEM",
        Ebusy => "EBUSY",
        Eexist => "EEXIST",
        Einval => "EINVAL",
        Enfile => "ENFILE",
        28 => "ENOSPC",
        Emlink => "EMLINK",
        34 => "ERANGE",
        36 => "ENAMETOOLONG",
        40 => "ELOOP",
        75 => "EOVERFLOW",
        Erestart => "ERESTART",
        90 => "EMSGSIZE",
        Eopnotsupp => "EOPNOTSUPP",
        Enobufs => "ENOBUFS",
        _ => "errno " + errno.ToString(CultureInfo.InvariantCulture),
    };
}
