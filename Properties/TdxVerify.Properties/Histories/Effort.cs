namespace TdxVerify.Properties.Histories;

/// <summary>How hard a search looks for an explanation. Each level includes those before it.</summary>
internal enum Effort
{
    /// <summary>
    /// Only where one call at a time goes on before the one that ends next, up to a step that matters to it. That explains
    /// nearly every history that can be explained, and takes the least time for it.
    /// </summary>
    Narrow,

    /// <summary>All that must be tried, by what is known of the calls.</summary>
    Wide,

    /// <summary>So long that nothing more is to be known: what is not found does not exist.</summary>
    Thorough,
}
