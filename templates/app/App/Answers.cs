using System;
using System.Text.Json;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Http;

namespace Altinn.App
{
    /// <summary>How this app reads and writes JSON.</summary>
    public static class Answers
    {
        public static readonly JsonSerializerOptions Options = new JsonSerializerOptions
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            PropertyNameCaseInsensitive = true,
#pragma warning disable SYSLIB0020 // The newer way is not there in .NET Core 3.1.
            IgnoreNullValues = true,
#pragma warning restore SYSLIB0020
        };

        public static Task Json<T>(HttpContext context, T value, int status = 200, string contentType = "application/json; charset=utf-8")
        {
            byte[] body = JsonSerializer.SerializeToUtf8Bytes(value, Options);
            context.Response.StatusCode = status;
            context.Response.ContentType = contentType;
            context.Response.ContentLength = body.Length;
            context.Response.Headers["Cache-Control"] = "no-store";
            return context.Response.Body.WriteAsync(body, 0, body.Length);
        }

        /// <summary>The request's body; refused with 400 when it cannot be read as what it should be.</summary>
        public static async Task<T> Body<T>(HttpContext context)
            where T : class
        {
            try
            {
                T value = await JsonSerializer.DeserializeAsync<T>(context.Request.Body, Options, context.RequestAborted);
                return value ?? throw Fault.BadRequest("The body is null.");
            }
            catch (JsonException e)
            {
                throw Fault.BadRequest("The body cannot be read: " + e.Message);
            }
        }

        /// <summary>A part of the path; routes name it.</summary>
        public static string Value(this HttpContext context, string name) => (string)context.Request.RouteValues[name];

        public static Guid Guid(this HttpContext context, string name) =>
            System.Guid.TryParse(context.Value(name), out Guid id) ? id : throw Fault.NotFound($"`{context.Value(name)}` is not the id of anything.");

        public static int Number(this HttpContext context, string name) =>
            int.TryParse(context.Value(name), out int number) ? number : throw Fault.NotFound($"`{context.Value(name)}` is not the id of a party.");
    }
}
